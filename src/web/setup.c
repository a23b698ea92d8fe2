/* SPDX-License-Identifier: ISC */
#include "web/setup.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/text.h"
#include "setup/autoconfig.h"
#include "setup/autodiscover.h"
#include "setup/sts.h"
#include "web/arguments.h"
#include "web/gate.h"

#define TYPE_XML     "text/xml; charset=utf-8"
#define TYPE_PROFILE "application/x-apple-aspen-config"

enum {
	VALUE_MAX = 2048, /* a target is no longer */
	TIME_OFFSET = 11, /* of the time in "2026-01-31T23:59:59Z" */
	TIME_LEN = 8,
};

/* ---- what is asked ---- */

static bool is_read(struct slice method)
{
	return slice_is(method, "GET") || slice_is(method, "HEAD");
}

/* Of a key without case, for programs differ in it. False: there is none that can be read. */
static bool find_parameter(struct slice query, const char *key, char *out, size_t size)
{
	while (query.len > 0) {
		ptrdiff_t and = slice_find(query, '&');
		struct slice pair = slice_head(query, and < 0 ? query.len : (size_t) and);
		ptrdiff_t equals = slice_find(pair, '=');
		struct buf value;
		bool is_there;

		query = slice_from(query, pair.len + 1);
		if (equals < 0 || !slice_is_nocase(slice_head(pair, (size_t)equals), key))
			continue;
		buf_init(&value, VALUE_MAX);
		is_there = arguments_unescape(slice_from(pair, (size_t)equals + 1), true, &value) ==
				   GP_OK &&
			   text_is_printable(buf_slice(&value)) &&
			   slice_copy(slice_trim(buf_slice(&value)), out, size);
		buf_fini(&value);
		return is_there;
	}
	return false;
}

static bool take_path_address(struct slice escaped, char out[static SETUP_ADDRESS_SIZE])
{
	struct buf value;
	bool is_there;

	buf_init(&value, VALUE_MAX);
	is_there = arguments_unescape(escaped, false, &value) == GP_OK &&
		   text_is_printable(buf_slice(&value)) &&
		   slice_copy(buf_slice(&value), out, SETUP_ADDRESS_SIZE);
	buf_fini(&value);
	return is_there;
}

static struct slice domain_of(const char *address)
{
	ptrdiff_t at = slice_find_last(slice_str(address), '@');

	return slice_from(slice_str(address), (size_t)(at + 1));
}

/* Outlook's request. What is none is answered, too, once it is clear that it came to us. */
static void read_autodiscover(const struct setup_facts *facts, struct setup_ask *ask)
{
	struct autodiscover_request request;

	ask->is_malformed =
		!slice_is(facts->method, "POST") ||
		autodiscover_read(facts->body, &request) != GP_OK ||
		!slice_copy(slice_str(request.address), ask->address, sizeof ask->address) ||
		ask->address[0] == '\0';
	ask->is_known = !ask->is_malformed && autodiscover_is_known(&request);
}

/* The address whose program asks, "" if none is given. */
static void read_address(
	const struct setup_route *route, const struct setup_facts *facts, struct setup_ask *ask)
{
	switch (route->paper) {
	case SETUP_AUTOCONFIG:
		(void)find_parameter(
			facts->query, "emailaddress", ask->address, sizeof ask->address);
		break;
	case SETUP_AUTODISCOVER:
		read_autodiscover(facts, ask);
		break;
	case SETUP_LOCATE:
		if (route->rest.len > 0)
			(void)take_path_address(route->rest, ask->address);
		else
			(void)find_parameter(
				facts->query, "email", ask->address, sizeof ask->address);
		(void)find_parameter(facts->query, "protocol", ask->protocol, sizeof ask->protocol);
		break;
	case SETUP_NONE:
	case SETUP_STS:
	case SETUP_PROFILE:
		break;
	}
}

/* Nobody can ask for a domain by a name that is not that of one of ours. The last is the one that
 * is answered for. */
static json_t *find_domains(const struct config *config, const struct setup_route *route,
	struct slice host, const struct setup_ask *ask)
{
	struct slice name = gate_host_name(host);
	bool is_own_name = slice_starts_nocase(name, route->prefix);
	json_t *domains = json_array();

	if (is_own_name)
		name = slice_from(name, strlen(route->prefix));
	if (is_own_name || (route->paper != SETUP_STS && !gate_is_host(config, host)))
		(void)json_array_append_new(domains, json_stringn(name.data, name.len));
	if (ask->address[0] != '\0') {
		struct slice domain = domain_of(ask->address);

		(void)json_array_append_new(domains, json_stringn(domain.data, domain.len));
	}
	return domains;
}

static int append(const char *data, size_t len, void *out)
{
	return buf_append(out, slice_of(data, len)) == GP_OK ? 0 : -1;
}

/* Takes the value. */
static bool put_argument(const char *key, json_t *value, struct buf *arguments)
{
	json_t *object = json_pack("{s:o}", key, value);
	bool is_put =
		object != NULL && json_dump_callback(object, append, arguments, JSON_COMPACT) == 0;

	json_decref(object);
	return is_put;
}

static void refuse_method(struct answer *answer, const char *allowed, struct slice method)
{
	answer_add_field(answer, "Allow", "%s", allowed);
	answer_problem(answer, PROBLEM_METHOD, method);
}

/* A link that is good once is not used up by a program that only looks (HEAD). */
static bool begin_profile(const struct config *config, const struct setup_route *route,
	const struct setup_facts *facts, struct buf *arguments, struct answer *answer)
{
	if (!gate_is_host(config, facts->host))
		answer_problem(answer, PROBLEM_HOST, facts->host);
	else if (!slice_is(facts->method, "GET"))
		refuse_method(answer, "GET", facts->method);
	else if (put_argument("token", json_stringn(route->rest.data, route->rest.len), arguments))
		return true;
	else
		answer_problem(answer, PROBLEM_NOT_FOUND, SLICE_LIT("there is no such link"));
	return false;
}

bool setup_begin(const struct config *config, const struct setup_route *route,
	const struct setup_facts *facts, struct setup_ask *ask, struct buf *arguments,
	struct answer *answer)
{
	json_t *domains = NULL;

	*ask = (struct setup_ask){ .paper = route->paper, .op = OPS_setup_find };
	if (route->paper == SETUP_PROFILE) {
		ask->op = OPS_setup_profile;
		return begin_profile(config, route, facts, arguments, answer);
	}
	if (!is_read(facts->method) &&
		!(route->paper == SETUP_AUTODISCOVER && slice_is(facts->method, "POST"))) {
		refuse_method(answer,
			route->paper == SETUP_AUTODISCOVER ? "GET, HEAD, POST" : "GET, HEAD",
			facts->method);
		return false;
	}
	read_address(route, facts, ask);
	domains = find_domains(config, route, facts->host, ask);
	if (json_array_size(domains) == 0 && !ask->is_malformed) {
		json_decref(domains);
		answer_problem(answer, PROBLEM_NOT_FOUND, SLICE_LIT("of which domain?"));
		return false;
	}
	if (put_argument("domains", domains, arguments))
		return true;
	answer_problem(answer, PROBLEM_NOT_FOUND, SLICE_LIT("that is no domain of this server"));
	return false;
}

/* ---- what is answered ---- */

static void set_type(struct answer *answer, const char *type)
{
	answer_add_field(answer, "Content-Type", "%s", type);
}

/* A problem where nothing came of it. */
static void settle(struct answer *answer, enum gp_err err, const char *type)
{
	if (err == GP_OK)
		set_type(answer, type);
	else
		answer_problem(answer, answer_problem_of(err), slice_str(gp_err_text(err)));
}

static void answer_autodiscover(
	const struct offers *offers, const struct setup_ask *ask, struct answer *answer)
{
	char now[CLOCK_TEXT_SIZE];
	enum gp_err err;

	clock_format(clock_wall(), now);
	now[TIME_OFFSET + TIME_LEN] = '\0';
	if (ask->is_malformed)
		err = autodiscover_write_fault(
			AUTODISCOVER_INVALID, now + TIME_OFFSET, &answer->body);
	else if (!ask->is_known)
		err = autodiscover_write_fault(
			AUTODISCOVER_PROVIDER, now + TIME_OFFSET, &answer->body);
	else
		err = autodiscover_write(offers, slice_str(ask->address), &answer->body);
	settle(answer, err, TYPE_XML);
}

static void answer_json(struct answer *answer, unsigned status, json_t *body)
{
	GP_ASSERT(body != NULL);
	answer->status = status;
	settle(answer,
		json_dump_callback(body, append, &answer->body, JSON_COMPACT) == 0 ? GP_OK
										   : GP_ERR_LIMIT,
		"application/json");
	json_decref(body);
}

/* At the portal's own name, which its certificate is for in any case. */
static void answer_locate(
	const struct config *config, const struct setup_ask *ask, struct answer *answer)
{
	struct slice base = slice_str(config->portal_url);
	const char *slash = base.len > 0 && base.data[base.len - 1] == '/' ? "" : "/";

	if (ask->protocol[0] == '\0')
		answer_json(answer, 400,
			json_pack("{s:s, s:s}", "ErrorCode", "MandatoryParameterMissing",
				"ErrorMessage", "A valid value must be provided for Protocol"));
	else if (slice_is_nocase(slice_str(ask->protocol), "AutodiscoverV1"))
		answer_json(answer, 200,
			json_pack("{s:s, s:s++}", "Protocol", "AutodiscoverV1", "Url",
				config->portal_url, slash, "autodiscover/autodiscover.xml"));
	else
		answer_json(answer, 400,
			json_pack("{s:s, s:s}", "ErrorCode", "InvalidProtocol", "ErrorMessage",
				"Supported values of Protocol are: AutodiscoverV1"));
}

static enum gp_err join_parts(const struct reply *reply, struct buf *out)
{
	enum gp_err err = reply->is_bad || reply->is_full ? GP_ERR_INTERNAL : GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(reply->rows); i++) {
		const json_t *row = json_array_get(reply->rows, i);

		err = decode_base64(
			slice_str(json_string_value(json_object_get(row, "part"))), out);
	}
	return err;
}

/* Somebody looks at what came, so a link that is over leads to the page that says so. */
static void finish_profile(const struct config *config, enum gp_err err, struct slice why,
	const struct reply *reply, struct answer *answer)
{
	if (err == GP_ERR_NOT_FOUND || err == GP_ERR_DENIED) {
		answer->status = 303;
		answer_add_field(answer, "Location", "/#/link");
		return;
	}
	if (err != GP_OK) {
		answer_problem(answer, answer_problem_of(err), why);
		return;
	}
	settle(answer, join_parts(reply, &answer->body), TYPE_PROFILE);
	if (answer->status == 200)
		answer_add_field(answer, "Content-Disposition",
			"attachment; filename=\"%.200s.mobileconfig\"", config->hostname);
}

void setup_finish(const struct config *config, const struct setup_ask *ask, enum gp_err err,
	struct slice why, const struct reply *reply, struct answer *answer)
{
	const json_t *row = NULL;
	struct slice domain;
	struct offers offers;

	if (ask->paper == SETUP_PROFILE) {
		finish_profile(config, err, why, reply, answer);
		return;
	}
	if (err != GP_OK) {
		answer_problem(answer, answer_problem_of(err), why);
		return;
	}
	row = json_array_get(reply->rows, json_array_size(reply->rows) - 1);
	domain = slice_str(json_string_value(json_object_get(row, "domain")));
	offers = offer_read(config, domain);
	switch (ask->paper) {
	case SETUP_AUTOCONFIG:
		settle(answer, autoconfig_write(&offers, domain, &answer->body), TYPE_XML);
		break;
	case SETUP_AUTODISCOVER:
		answer_autodiscover(&offers, ask, answer);
		break;
	case SETUP_LOCATE:
		answer_locate(config, ask, answer);
		break;
	case SETUP_STS:
		settle(answer, sts_write(config, &answer->body), "text/plain; charset=utf-8");
		break;
	case SETUP_NONE:
	case SETUP_PROFILE:
		break;
	}
}

/* SPDX-License-Identifier: ISC */
#include "login_fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "fuzz.h"
#include "proto/sasl.h"

enum {
	TRACE_MAX = 4 * 1024 * 1024,
	MAX_COMMANDS = 12,
	MAX_ATTEMPTS = 3,
};

struct drive {
	struct slice rest;  /* not arrived yet */
	struct buf waiting; /* arrived and not used yet */
	uint32_t seed;
	bool is_split;
	struct buf said; /* all that the engine said */
	struct buf did;  /* and did */
	unsigned verdicts;
	unsigned asked;
	bool is_over;
};

static void add(struct buf *buf, struct slice bytes)
{
	GP_ASSERT(buf_append(buf, bytes) == GP_OK);
}

static void add_field(struct buf *buf, struct slice bytes)
{
	add(buf, bytes);
	add(buf, SLICE_LIT("|"));
}

static void drive_init(struct drive *drive, struct slice input, uint32_t seed, bool is_split)
{
	*drive = (struct drive){ .rest = input, .seed = seed, .is_split = is_split };
	buf_init(&drive->waiting, TRACE_MAX);
	buf_init(&drive->said, TRACE_MAX);
	buf_init(&drive->did, TRACE_MAX);
}

static void drive_fini(struct drive *drive)
{
	buf_fini(&drive->waiting);
	buf_fini(&drive->said);
	buf_fini(&drive->did);
}

/* The engine sees memory that ends where its input does. */
static bool arrive(struct drive *drive)
{
	size_t n = drive->is_split ? fuzz_piece(&drive->seed) : drive->rest.len;

	if (drive->rest.len == 0)
		return false;
	add(&drive->waiting, fuzz_cut(&drive->rest, n));
	return true;
}

static void listen(struct drive *drive, struct buf *output)
{
	add(&drive->said, buf_slice(output));
	buf_clear(output);
}

static void check_same(const struct drive *a, const struct drive *b)
{
	GP_ASSERT(slice_equal(buf_slice(&a->said), buf_slice(&b->said)));
	GP_ASSERT(slice_equal(buf_slice(&a->did), buf_slice(&b->did)));
	GP_ASSERT(a->is_over == b->is_over);
}

/* ---- servers ---- */

static void check_signin(const struct engine_signin *signin)
{
	GP_ASSERT(signin->mechanism > MECHANISM_NONE && signin->mechanism < MECHANISM_MAX);
	GP_ASSERT(sasl_is_login(signin->login));
	GP_ASSERT(sasl_is_secret(signin->secret));
}

static void answer(const struct login_server_ops *ops, void *engine, struct drive *drive)
{
	struct engine_answer answer = {
		.verdict = (enum verdict)(drive->verdicts % VERDICT_MAX),
		.capabilities = slice_str("IMAP4rev1 IDLE"),
		.text = slice_str("Logged \r\n in"),
		.ban_minutes = drive->verdicts,
	};

	drive->verdicts = drive->verdicts / 2 + 128 * (drive->asked & 1);
	drive->asked++;
	GP_ASSERT(drive->asked <= MAX_ATTEMPTS);
	/* It must not have been left anything of what is still to come. */
	ops->answer_signin(engine, &answer);
	if (answer.verdict == VERDICT_OK)
		drive->is_over = true;
}

static void perform(const struct login_server_ops *ops, void *engine,
	const struct engine_action *action, struct drive *drive)
{
	char type = (char)('0' + (int)action->type);

	add_field(&drive->did, slice_of(&type, 1));
	GP_ASSERT(!drive->is_over);
	if (action->type == ENGINE_SIGNIN) {
		check_signin(&action->signin);
		add_field(&drive->did, action->signin.login);
		add_field(&drive->did, action->signin.secret);
		answer(ops, engine, drive);
	} else if (action->type == ENGINE_NOTE) {
		GP_ASSERT(text_is_printable(action->note.detail));
		GP_ASSERT(action->note.reason < REASON_MAX);
		add_field(&drive->did, action->note.detail);
	} else if (action->type == ENGINE_STARTTLS) {
		ops->tls_started(engine);
	} else {
		GP_ASSERT(action->type == ENGINE_CLOSE);
		drive->is_over = true;
	}
}

static void drive_server(const struct login_server_ops *ops, void *engine, struct drive *drive)
{
	do {
		struct engine_action action;
		size_t used;

		do {
			used = ops->input(engine, buf_slice(&drive->waiting), &action);
			GP_ASSERT(used <= drive->waiting.len);
			if (action.type != ENGINE_NONE)
				perform(ops, engine, &action, drive);
			listen(drive, ops->output(engine));
			buf_consume(&drive->waiting, used);
		} while (!drive->is_over && (used > 0 || action.type != ENGINE_NONE));
	} while (!drive->is_over && arrive(drive));
	GP_ASSERT(text_is_printable(slice_str(ops->client_name(engine))));
	add_field(&drive->did, slice_str(ops->client_name(engine)));
	/* In the end nothing moves it any more but the goodbye. */
	ops->abort(engine, "Shutting down");
}

static void run_server(const struct login_server_ops *ops, const struct engine_server_conf *conf,
	struct drive *drive)
{
	void *engine = ops->create(conf);

	drive_server(ops, engine, drive);
	ops->destroy(engine);
}

void login_fuzz_server(const struct login_server_ops *ops, enum service plain,
	enum service implicit_tls, const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	unsigned settings = fuzz_byte(&rest);
	struct engine_server_conf conf = {
		.hostname = "mail.example.test",
		.portal_url = "https://mail.example.test/",
		.service = (settings & 1) != 0 ? implicit_tls : plain,
		.client_address = slice_str("192.0.2.7"),
		.ban_failures = 5,
		.is_tls = (settings & 1) != 0,
		.can_starttls = (settings & 2) != 0,
		.plaintext_signin = (settings & 4) != 0,
		.max_commands = MAX_COMMANDS,
		.max_attempts = MAX_ATTEMPTS,
		.reference = 0x7654321,
		.ban_reference = 0x1234567,
	};
	uint32_t seed = 0;
	unsigned verdicts;
	struct drive whole;
	struct drive pieces;

	for (unsigned i = 0; i < 4; i++)
		seed = seed << 8 | fuzz_byte(&rest);
	verdicts = fuzz_byte(&rest);
	drive_init(&whole, rest, seed, false);
	drive_init(&pieces, rest, seed, true);
	whole.verdicts = pieces.verdicts = verdicts;
	run_server(ops, &conf, &whole);
	run_server(ops, &conf, &pieces);
	check_same(&whole, &pieces);
	drive_fini(&whole);
	drive_fini(&pieces);
}

/* ---- clients ---- */

static void on_event(const struct login_client_ops *ops, void *engine,
	const struct login_client_event *event, struct drive *drive)
{
	char type = (char)('0' + (int)event->type);

	add_field(&drive->did, slice_of(&type, 1));
	add_field(&drive->did, event->text);
	add_field(&drive->did, event->capabilities);
	GP_ASSERT(event->text.len <= REPLY_LINE_MAX);
	GP_ASSERT(text_is_printable(event->capabilities));
	if (event->type == ENGINE_EVENT_STARTTLS)
		ops->tls_started(engine);
	else
		drive->is_over = true;
}

static void run_client(const struct login_client_ops *ops, const struct login_client_conf *conf,
	struct drive *drive)
{
	void *engine = ops->create(conf);

	do {
		struct login_client_event event;
		size_t used;

		do {
			used = ops->input(engine, buf_slice(&drive->waiting), &event);
			GP_ASSERT(used <= drive->waiting.len);
			if (event.type != ENGINE_EVENT_NONE)
				on_event(ops, engine, &event, drive);
			listen(drive, ops->output(engine));
			buf_consume(&drive->waiting, used);
		} while (!drive->is_over && (used > 0 || event.type != ENGINE_EVENT_NONE));
	} while (!drive->is_over && arrive(drive));
	ops->destroy(engine);
}

void login_fuzz_client(const struct login_client_ops *ops, const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	unsigned settings = fuzz_byte(&rest);
	struct login_client_conf conf = {
		.credential = (enum login_credential)(settings % 3),
		.address = slice_str("alice@example.test"),
		.user = slice_str("gpmaster"),
		.secret = slice_str((settings & 4) != 0 ? "s\"\\\xc3\xbc" : "secret"),
		.tell_client = (settings & 8) != 0,
		.client_address = slice_str("192.0.2.7"),
		.client_port = 50123,
		.local_address = slice_str("198.51.100.1"),
		.local_port = 993,
		.session = slice_str("00000000000000a7"),
	};
	uint32_t seed = 0;
	struct drive whole;
	struct drive pieces;

	for (unsigned i = 0; i < 4; i++)
		seed = seed << 8 | fuzz_byte(&rest);
	(void)fuzz_byte(&rest);
	/* With STARTTLS the splits do matter: what comes behind its OK at once is refused. */
	conf.want_starttls = (settings & 16) != 0;
	drive_init(&whole, rest, seed, conf.want_starttls);
	drive_init(&pieces, rest, seed, true);
	run_client(ops, &conf, &whole);
	run_client(ops, &conf, &pieces);
	check_same(&whole, &pieces);
	drive_fini(&whole);
	drive_fini(&pieces);
}

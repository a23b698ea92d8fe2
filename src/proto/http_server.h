/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1, the server's side up to a whole request (RFC 9112): bytes in, one checked request out.
 * It is stricter than the RFC asks, because another parser reads the request after us, and two that
 * differ are a hole: only CRLF ends a line, no transfer coding, one Content-Length of digits, one
 * Host, no line folding, no absolute form. Whatever is refused also ends the connection.
 *
 * A request goes on as http_request_append() writes it: of its fields only those of the list below,
 * each once. What is not on the list is checked for form and dropped, so no field that means
 * something between hops, or that names a client, ever passes.
 *
 * Sans-I/O, like proto/engine.h. Input is used only when a request is whole; the shell must be able
 * to hold HTTP_INPUT_MAX bytes.
 */
#ifndef GP_PROTO_HTTP_SERVER_H
#define GP_PROTO_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/slice.h"
#include "proto/line.h"

enum {
	HTTP_HEAD_MAX = 8 * 1024, /* request line, fields and the empty line */
	HTTP_BODY_MAX = 16 * 1024,
	HTTP_INPUT_MAX = HTTP_HEAD_MAX + HTTP_BODY_MAX,
	HTTP_TARGET_MAX = 2048,
	HTTP_FIELDS_MAX = 64,                    /* field lines of one request */
	HTTP_FORWARDED_MAX = 8,                  /* X-Forwarded-For lines */
	HTTP_REQUEST_MAX = HTTP_INPUT_MAX + 512, /* as http_request_append() writes it */
	HTTP_REFUSAL_MAX = 1024,                 /* as http_refusal_append() writes it */
};

#define HTTP_METHOD_LIST(X)      \
	X(HTTP_GET, "GET")       \
	X(HTTP_HEAD, "HEAD")     \
	X(HTTP_POST, "POST")     \
	X(HTTP_PUT, "PUT")       \
	X(HTTP_PATCH, "PATCH")   \
	X(HTTP_DELETE, "DELETE") \
	X(HTTP_OPTIONS, "OPTIONS")

enum http_method {
#define HTTP_METHOD_ENUM(name, text) name,
	HTTP_METHOD_LIST(HTTP_METHOD_ENUM)
#undef HTTP_METHOD_ENUM
	HTTP_METHOD_MAX
};

/* The fields that are looked at: those up to HTTP_PASSED are passed on, the others end here. */
#define HTTP_FIELD_LIST(X)                             \
	X(HTTP_HOST, "Host")                           \
	X(HTTP_USER_AGENT, "User-Agent")               \
	X(HTTP_ACCEPT, "Accept")                       \
	X(HTTP_ACCEPT_ENCODING, "Accept-Encoding")     \
	X(HTTP_ACCEPT_LANGUAGE, "Accept-Language")     \
	X(HTTP_AUTHORIZATION, "Authorization")         \
	X(HTTP_CONTENT_TYPE, "Content-Type")           \
	X(HTTP_COOKIE, "Cookie")                       \
	X(HTTP_IDEMPOTENCY_KEY, "Idempotency-Key")     \
	X(HTTP_IF_NONE_MATCH, "If-None-Match")         \
	X(HTTP_ORIGIN, "Origin")                       \
	X(HTTP_SEC_FETCH_SITE, "Sec-Fetch-Site")       \
	X(HTTP_CONTENT_LENGTH, "Content-Length")       \
	X(HTTP_TRANSFER_ENCODING, "Transfer-Encoding") \
	X(HTTP_CONNECTION, "Connection")               \
	X(HTTP_EXPECT, "Expect")

enum http_field {
#define HTTP_FIELD_ENUM(name, text) name,
	HTTP_FIELD_LIST(HTTP_FIELD_ENUM)
#undef HTTP_FIELD_ENUM
	HTTP_FIELD_MAX,
	HTTP_PASSED = HTTP_CONTENT_LENGTH
};

/* Why a request is refused: status, reason phrase, what is wrong. The first ones are the engine's,
 * those from HTTP_FAULT_SLOW on its shell's. */
#define HTTP_FAULT_LIST(X)                                                                        \
	X(HTTP_FAULT_NONE, 200, "OK", "")                                                         \
	X(HTTP_FAULT_LINE, 400, "Bad Request", "a line ends in something else than CR LF")        \
	X(HTTP_FAULT_REQUEST_LINE, 400, "Bad Request", "malformed request line")                  \
	X(HTTP_FAULT_TARGET, 400, "Bad Request", "malformed request target")                      \
	X(HTTP_FAULT_FORM, 400, "Bad Request", "the request target must begin with /")            \
	X(HTTP_FAULT_FOLDED, 400, "Bad Request", "a field goes over several lines")               \
	X(HTTP_FAULT_FIELD, 400, "Bad Request", "malformed field")                                \
	X(HTTP_FAULT_TWICE, 400, "Bad Request", "a field stands twice")                           \
	X(HTTP_FAULT_HOST, 400, "Bad Request", "Host is missing or malformed")                    \
	X(HTTP_FAULT_LENGTH, 400, "Bad Request", "malformed Content-Length")                      \
	X(HTTP_FAULT_CODING, 400, "Bad Request", "Transfer-Encoding is not taken")                \
	X(HTTP_FAULT_CONNECTION, 400, "Bad Request", "malformed Connection")                      \
	X(HTTP_FAULT_BODY, 400, "Bad Request", "this method has no body")                         \
	X(HTTP_FAULT_BODY_SIZE, 413, "Content Too Large", "the body is too long")                 \
	X(HTTP_FAULT_TARGET_SIZE, 414, "URI Too Long", "the request target is too long")          \
	X(HTTP_FAULT_EXPECT, 417, "Expectation Failed", "only 100-continue can be expected")      \
	X(HTTP_FAULT_HEAD_SIZE, 431, "Request Header Fields Too Large", "too many fields")        \
	X(HTTP_FAULT_METHOD, 501, "Not Implemented", "unknown method")                            \
	X(HTTP_FAULT_VERSION, 505, "HTTP Version Not Supported", "HTTP/1.1 is spoken here")       \
	X(HTTP_FAULT_SLOW, 408, "Request Timeout", "the request did not come in time")            \
	X(HTTP_FAULT_NO_WEB, 503, "Service Unavailable", "not available for a moment, try again") \
	X(HTTP_FAULT_BAD_WEB, 502, "Bad Gateway", "no answer could be had")                       \
	X(HTTP_FAULT_LATE, 504, "Gateway Timeout", "no answer came in time")

enum http_fault {
#define HTTP_FAULT_ENUM(name, status, phrase, detail) name,
	HTTP_FAULT_LIST(HTTP_FAULT_ENUM)
#undef HTTP_FAULT_ENUM
	HTTP_FAULT_MAX
};

enum http_step {
	HTTP_MORE,     /* no whole request yet */
	HTTP_CONTINUE, /* the client waits for http_continue before it sends the body; once */
	HTTP_WHOLE,    /* a request is there */
	HTTP_REFUSED,  /* answer http_server_fault() and close */
};

/* Borrows from the input. */
struct http_request {
	enum http_method method;
	struct slice target;                 /* path and query, as they came */
	struct slice fields[HTTP_FIELD_MAX]; /* values without blanks at the ends; data NULL: not
						there */
	struct slice forwarded[HTTP_FORWARDED_MAX]; /* X-Forwarded-For, line by line */
	unsigned forwarded_count;
	struct slice body;
	bool is_last;  /* the client closes after the answer, or wants us to */
	size_t length; /* bytes of the input that it is made of */
};

/* A run of the input, which may move while more of it arrives. */
struct http_part {
	size_t offset;
	size_t len;
	bool is_there;
};

struct http_server {
	struct line line;
	size_t taken; /* bytes of the head that are parsed */
	bool has_line;
	bool is_head_done;
	bool is_continued;
	bool had_empty_line;
	unsigned field_count;
	enum http_method method;
	struct http_part target;
	struct http_part fields[HTTP_FIELD_MAX];
	struct http_part forwarded[HTTP_FORWARDED_MAX];
	unsigned forwarded_count;
	size_t body_len;
	bool is_last;
	enum http_fault fault;
};

extern const struct slice http_continue; /* the interim answer to HTTP_CONTINUE */

/* Also after HTTP_WHOLE, for the next request on the same connection. */
void http_server_init(struct http_server *http);
/* input: all that waits, from the request's first byte on. */
enum http_step http_server_input(
	struct http_server *http, struct slice input, struct http_request *ret_request);
enum http_fault http_server_fault(const struct http_server *http);

/* The one way this request can be written. out has room for HTTP_REQUEST_MAX bytes. */
enum gp_err http_request_append(const struct http_request *request, struct buf *out) GP_CHECKED;

/* A whole answer (RFC 9457) after which the connection closes. is_head: without its body. */
enum gp_err http_refusal_append(enum http_fault fault, bool is_head, struct buf *out) GP_CHECKED;
unsigned http_fault_status(enum http_fault fault);
const char *http_fault_detail(enum http_fault fault);

/*
 * Where the browser is, if the connection comes from peer: peer itself, or, if that is one of the
 * trusted proxies, the last address of X-Forwarded-For that is none. What cannot be read as an
 * address ends the search at the proxy before it.
 */
struct ip http_request_client(const struct http_request *request, const struct ip *peer,
	const struct ip_net *trusted, size_t count);

/* For http_answer.c as well. */
bool http_is_token(struct slice text);
bool http_is_field_value(struct slice text);

#endif

/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "ipc/message.h"

enum {
	ROUNDS = 50,
	BYTES_MAX = 16384,
};

/* Pseudo-random and the same in every run. */
static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* What the slices of a message borrow from. */
static char pool[BYTES_MAX];

static struct slice random_bytes(size_t max, bool is_text)
{
	size_t len = next_random() % 4 == 0 ? max : (size_t)(next_random() % (max + 1));
	size_t at = (size_t)(next_random() % (sizeof pool - len + 1));

	for (size_t i = 0; i < sizeof pool; i++)
		pool[i] = (char)(next_random() % 255 + 1);
	if (!is_text && len > 0)
		pool[at] = '\0';
	return slice_of(pool + at, len);
}

static struct ip random_ip(void)
{
	struct ip ip = { .family = IP_NONE };
	size_t len = 0;

	switch (next_random() % 3) {
	case 0:
		ip.family = IP_V4;
		len = 4;
		break;
	case 1:
		ip.family = IP_V6;
		len = 16;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < len; i++)
		ip.bytes[i] = (uint8_t)next_random();
	return ip;
}

/* Fields are filled from the same pool one after the other: only the last one's bytes are as they
 * were made, but all are within their bounds, which is what counts. Texts must stay texts. */
#define IPC_U8(name)          out->name = (uint8_t)next_random();
#define IPC_U16(name)         out->name = (uint16_t)next_random();
#define IPC_U32(name)         out->name = (uint32_t)next_random();
#define IPC_U64(name)         out->name = next_random();
#define IPC_I64(name)         out->name = (int64_t)next_random();
#define IPC_BOOL(name)        out->name = next_random() % 2 == 0;
#define IPC_ENUM(name, limit) out->name = (uint8_t)(next_random() % (limit));
#define IPC_IP(name)          out->name = random_ip();
#define IPC_STR(name, max)    out->name = random_bytes((max), true);
#define IPC_BLOB(name, max)   out->name = random_bytes((max), true);
#define IPC_SECRET(name, max) out->name = random_bytes((max), true);
#define IPC_MESSAGE(name, member, from, to, fields)         \
	static void fill_##member(struct ipc_##member *out) \
	{                                                   \
		fields                                      \
	}
#include "ipc/messages.def"

static void fill(struct ipc_message *message, enum ipc_type type)
{
	*message = (struct ipc_message){ .type = type };
	switch (type) {
#define IPC_MESSAGE(name, member, from, to, fields) \
	case IPC_##name:                            \
		fill_##member(&message->member);    \
		break;
#include "ipc/messages.def"
	case IPC_TYPE_MAX:
		break;
	}
}

#define IPC_U8(name)          assert_int_equal(a->name, b->name);
#define IPC_U16(name)         assert_int_equal(a->name, b->name);
#define IPC_U32(name)         assert_int_equal(a->name, b->name);
#define IPC_U64(name)         assert_int_equal(a->name, b->name);
#define IPC_I64(name)         assert_int_equal(a->name, b->name);
#define IPC_BOOL(name)        assert_int_equal(a->name, b->name);
#define IPC_ENUM(name, limit) assert_int_equal(a->name, b->name);
#define IPC_IP(name)          assert_true(ip_equal(&a->name, &b->name));
#define IPC_STR(name, max)    assert_true(slice_equal(a->name, b->name));
#define IPC_BLOB(name, max)   assert_true(slice_equal(a->name, b->name));
#define IPC_SECRET(name, max) assert_true(slice_equal(a->name, b->name));
#define IPC_MESSAGE(name, member, from, to, fields)                                              \
	static void compare_##member(const struct ipc_##member *a, const struct ipc_##member *b) \
	{                                                                                        \
		fields                                                                           \
	}
#include "ipc/messages.def"

static void compare(const struct ipc_message *a, const struct ipc_message *b)
{
	assert_int_equal(a->type, b->type);
	switch (a->type) {
#define IPC_MESSAGE(name, member, from, to, fields)       \
	case IPC_##name:                                  \
		compare_##member(&a->member, &b->member); \
		break;
#include "ipc/messages.def"
	case IPC_TYPE_MAX:
		break;
	}
}

/* A packet in memory of its exact size, so that a sanitizer sees each byte read beyond it. */
static enum gp_err decode_exact(const char *data, size_t len, struct ipc_message *ret_message)
{
	char *copy = mem_strndup(data, len);
	char *exact = mem_new(len + 1, 1);
	enum gp_err err;

	memcpy(exact, copy, len);
	mem_free(copy);
	exact = mem_resize(exact, len > 0 ? len : 1, 1);
	err = ipc_decode(slice_of(exact, len), ret_message);
	mem_free(exact);
	return err;
}

static void every_message_survives_the_wire(void **state)
{
	(void)state;
	for (enum ipc_type type = 0; type < IPC_TYPE_MAX; type++) {
		for (size_t n = 0; n < ROUNDS; n++) {
			struct ipc_message in;
			struct ipc_message out;
			struct buf wire;

			buf_init(&wire, IPC_PACKET_MAX);
			fill(&in, type);
			assert_int_equal(ipc_encode(&in, &wire), GP_OK);
			assert_int_equal(ipc_decode(buf_slice(&wire), &out), GP_OK);
			compare(&in, &out);
			buf_fini(&wire);
		}
	}
}

/* Cut anywhere, or with one byte more: no message. */
static void no_other_length_is_a_message(void **state)
{
	(void)state;
	for (enum ipc_type type = 0; type < IPC_TYPE_MAX; type++) {
		struct ipc_message in;
		struct ipc_message out;
		struct buf wire;

		buf_init(&wire, IPC_PACKET_MAX + 1);
		fill(&in, type);
		assert_int_equal(ipc_encode(&in, &wire), GP_OK);
		for (size_t len = 0; len < wire.len; len += len < 600 ? 1 : 97)
			assert_int_equal(decode_exact(wire.data, len, &out), GP_ERR_PROTOCOL);
		assert_int_equal(buf_append_byte(&wire, 0), GP_OK);
		assert_int_equal(decode_exact(wire.data, wire.len, &out), GP_ERR_PROTOCOL);
		buf_fini(&wire);
	}
}

/* Whatever is decoded can be encoded again, to the same bytes: there is one form of each message.
 */
static void a_changed_packet_is_refused_or_canonical(void **state)
{
	(void)state;
	for (enum ipc_type type = 0; type < IPC_TYPE_MAX; type++) {
		for (size_t n = 0; n < ROUNDS; n++) {
			struct ipc_message in;
			struct ipc_message out;
			struct buf wire;
			struct buf again;

			buf_init(&wire, IPC_PACKET_MAX);
			buf_init(&again, IPC_PACKET_MAX);
			fill(&in, type);
			assert_int_equal(ipc_encode(&in, &wire), GP_OK);
			wire.data[next_random() % (wire.len < 40 ? wire.len : 40)] =
				(char)next_random();
			if (ipc_decode(buf_slice(&wire), &out) == GP_OK) {
				assert_int_equal(ipc_encode(&out, &again), GP_OK);
				assert_true(slice_equal(buf_slice(&wire), buf_slice(&again)));
			}
			buf_fini(&wire);
			buf_fini(&again);
		}
	}
}

static enum gp_err try_encode(const struct ipc_message *message)
{
	struct buf wire;
	enum gp_err err;

	buf_init(&wire, IPC_PACKET_MAX);
	err = ipc_encode(message, &wire);
	/* All or nothing. */
	assert_true((err == GP_OK) == (wire.len > 0));
	buf_fini(&wire);
	return err;
}

static void bounds_hold_when_encoding(void **state)
{
	struct ipc_message message = { .type = IPC_SIGNIN };
	struct ip *ip = NULL;

	(void)state;
	memset(pool, 'x', sizeof pool);
	message.signin.login = slice_of(pool, 320);
	message.signin.secret = slice_of(pool, 1024);
	assert_int_equal(try_encode(&message), GP_OK);
	message.signin.login = slice_of(pool, 321);
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
	message.signin.login = slice_of("a\0b", 3);
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
	message.signin.login = slice_str("a");
	message.signin.secret = slice_of("a\0b", 3);
	assert_int_equal(try_encode(&message), GP_OK);
	message.signin.secret = slice_of(pool, 1025);
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
	message.signin.secret = slice_str("");
	message.signin.mechanism = MECHANISM_MAX;
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);

	message = (struct ipc_message){ .type = IPC_BAN_DROP };
	ip = &message.ban_drop.source;
	ip->family = IP_V4;
	ip->bytes[3] = 1;
	assert_int_equal(try_encode(&message), GP_OK);
	ip->bytes[4] = 1;
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
	ip->family = 5;
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
	ip->family = IP_NONE;
	assert_int_equal(try_encode(&message), GP_ERR_LIMIT);
}

/* READY: type, generation (8), ok (1), length of why (2), why. BAN_DROP: type, family, 16 bytes,
 * prefix. */
static void bounds_hold_when_decoding(void **state)
{
	struct ipc_message out = { .type = IPC_TYPE_MAX };
	char ready[] = { IPC_READY, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 'o', 'k' };
	char drop[19] = { IPC_BAN_DROP, IP_V4, 127, 0, 0, 1 };
	char close_[] = { IPC_SESSION_CLOSE, 0, 0, 0, 0, 0, 0, 0, 0, CLOSE_MAX - 1, 0, 0, 0, 0, 0,
		0, 0, 0 };
	char type = (char)IPC_TYPE_MAX;

	(void)state;
	assert_int_equal(ipc_decode(slice_of(ready, sizeof ready), &out), GP_OK);
	assert_true(out.ready.ok && out.ready.generation == 1 && slice_is(out.ready.why, "ok"));
	ready[9] = 2;
	assert_int_equal(ipc_decode(slice_of(ready, sizeof ready), &out), GP_ERR_PROTOCOL);
	ready[9] = 0;
	ready[12] = '\0';
	assert_int_equal(ipc_decode(slice_of(ready, sizeof ready), &out), GP_ERR_PROTOCOL);
	/* A failed decode leaves the output alone. */
	assert_true(out.ready.ok);

	assert_int_equal(ipc_decode(slice_of(drop, sizeof drop), &out), GP_OK);
	assert_true(ip_is_loopback(&out.ban_drop.source));
	drop[6] = 1;
	assert_int_equal(ipc_decode(slice_of(drop, sizeof drop), &out), GP_ERR_PROTOCOL);
	drop[6] = 0;
	drop[1] = 9;
	assert_int_equal(ipc_decode(slice_of(drop, sizeof drop), &out), GP_ERR_PROTOCOL);

	assert_int_equal(ipc_decode(slice_of(close_, sizeof close_), &out), GP_OK);
	close_[9] = CLOSE_MAX;
	assert_int_equal(ipc_decode(slice_of(close_, sizeof close_), &out), GP_ERR_PROTOCOL);

	assert_int_equal(ipc_decode(slice_of(&type, 1), &out), GP_ERR_PROTOCOL);
	assert_int_equal(ipc_decode(slice_of(NULL, 0), &out), GP_ERR_PROTOCOL);
}

static void only_named_senders_are_permitted(void **state)
{
	static const struct {
		enum ipc_type type;
		enum ipc_role from;
		enum ipc_role to;
		bool is_permitted;
	} cases[] = {
		{ IPC_SIGNIN, IPC_ROLE_FRONT, IPC_ROLE_CORE, true },
		{ IPC_SIGNIN, IPC_ROLE_CORE, IPC_ROLE_FRONT, false },
		{ IPC_SIGNIN, IPC_ROLE_CLI, IPC_ROLE_CORE, false },
		{ IPC_SIGNIN, IPC_ROLE_FRONT, IPC_ROLE_PARENT, false },
		{ IPC_SIGNIN_REPLY, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_SIGNIN_REPLY, IPC_ROLE_CORE, IPC_ROLE_FRONT, true },
		{ IPC_VERIFY, IPC_ROLE_CORE, IPC_ROLE_VAULT, true },
		{ IPC_VERIFY, IPC_ROLE_FRONT, IPC_ROLE_VAULT, false },
		{ IPC_VERIFY, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_MATERIAL, IPC_ROLE_PARENT, IPC_ROLE_FRONT, true },
		{ IPC_MATERIAL, IPC_ROLE_PARENT, IPC_ROLE_CLI, false },
		{ IPC_MATERIAL, IPC_ROLE_FRONT, IPC_ROLE_PARENT, false },
		{ IPC_DIAL, IPC_ROLE_FRONT, IPC_ROLE_PARENT, true },
		{ IPC_DIAL, IPC_ROLE_CORE, IPC_ROLE_PARENT, false },
		{ IPC_DIAL_MAILBOX, IPC_ROLE_CORE, IPC_ROLE_PARENT, true },
		{ IPC_DIAL_MAILBOX, IPC_ROLE_FRONT, IPC_ROLE_PARENT, false },
		{ IPC_DIAL_MAILBOX, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_MAILBOX_HOST, IPC_ROLE_FRONT, IPC_ROLE_PARENT, false },
		{ IPC_CALL, IPC_ROLE_WEB, IPC_ROLE_CORE, true },
		{ IPC_CALL, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_CALL, IPC_ROLE_CORE, IPC_ROLE_VAULT, false },
		{ IPC_OP, IPC_ROLE_WEB, IPC_ROLE_CORE, false },
		{ IPC_OP_ROW, IPC_ROLE_CORE, IPC_ROLE_WEB, true },
		{ IPC_RELOAD, IPC_ROLE_FRONT, IPC_ROLE_PARENT, false },
		{ IPC_OP, IPC_ROLE_CLI, IPC_ROLE_CORE, true },
		{ IPC_OP, IPC_ROLE_CORE, IPC_ROLE_VAULT, true },
		/* Named on both sides, but there is no such channel. */
		{ IPC_OP, IPC_ROLE_CLI, IPC_ROLE_VAULT, false },
		{ IPC_OP_DONE, IPC_ROLE_VAULT, IPC_ROLE_CLI, false },
		{ IPC_OP_DONE, IPC_ROLE_CORE, IPC_ROLE_CORE, false },
		{ IPC_OP, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_BAN_KEEP, IPC_ROLE_FRONT, IPC_ROLE_CORE, false },
		{ IPC_TYPE_MAX, IPC_ROLE_PARENT, IPC_ROLE_FRONT, false },
		{ IPC_SIGNIN, IPC_ROLE_MAX, IPC_ROLE_CORE, false },
		{ IPC_SIGNIN, IPC_ROLE_FRONT, IPC_ROLE_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(ipc_is_permitted(cases[i].type, cases[i].from, cases[i].to),
			cases[i].is_permitted);
}

/* A front may write no ban, read no hash and steer no process but by accusing core: all it may say
 * is this. */
static void a_front_has_these_words_only(void **state)
{
	static const enum ipc_type words[] = { IPC_READY, IPC_DIAL, IPC_DIAL_WEB, IPC_SESSION_OPEN,
		IPC_SESSION_END, IPC_SESSION_RESUME, IPC_SIGNIN, IPC_SIGNIN_UNDONE,
		IPC_MAILBOX_HOST, IPC_NOTE, IPC_MAIL, IPC_RCPT, IPC_RCPT_DONE, IPC_FROM,
		IPC_MESSAGE_DONE, IPC_FILTERED, IPC_END, IPC_REFUSED, IPC_PONG, IPC_CORE_BAD,
		IPC_NOTICE_DONE };

	(void)state;
	for (enum ipc_type type = 0; type < IPC_TYPE_MAX; type++) {
		bool is_word = false;
		bool is_permitted = false;

		for (size_t i = 0; i < GP_ARRAY_LEN(words); i++)
			is_word |= words[i] == type;
		for (enum ipc_role to = 0; to < IPC_ROLE_MAX; to++)
			is_permitted |= ipc_is_permitted(type, IPC_ROLE_FRONT, to);
		if (is_word != is_permitted)
			fail_msg("%s", ipc_type_name(type));
	}
}

static void names_and_secrets(void **state)
{
	(void)state;
	assert_string_equal(ipc_type_name(IPC_SIGNIN_REPLY), "SIGNIN_REPLY");
	assert_string_equal(ipc_type_name(IPC_TYPE_MAX), "?");
	assert_string_equal(ipc_role_name(IPC_ROLE_VAULT), "vault");
	assert_string_equal(ipc_role_name(IPC_ROLE_MAX), "?");
	assert_true(ipc_is_secret(IPC_SIGNIN) && ipc_is_secret(IPC_VERIFY_REPLY) &&
		    ipc_is_secret(IPC_OP_ROW));
	assert_false(ipc_is_secret(IPC_READY) || ipc_is_secret(IPC_TYPE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_survives_the_wire),
		cmocka_unit_test(no_other_length_is_a_message),
		cmocka_unit_test(a_changed_packet_is_refused_or_canonical),
		cmocka_unit_test(bounds_hold_when_encoding),
		cmocka_unit_test(bounds_hold_when_decoding),
		cmocka_unit_test(only_named_senders_are_permitted),
		cmocka_unit_test(a_front_has_these_words_only),
		cmocka_unit_test(names_and_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

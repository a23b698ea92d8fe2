/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_fold.h"

#include "base/check.h"
#include "base/mem.h"

enum {
	NAMES_BYTES = 1024 * 1024, /* recipients of one transaction, each with its NUL */
	REASON_LINES = 4,          /* of the gravest refusal that are kept */
	NAMES_LINE = 440,          /* bytes of names on a line */
};

struct lmtp_fold {
	struct buf asked;    /* without a reply to RCPT; each ends in NUL */
	struct buf accepted; /* without a reply to the message */
	struct buf unserved;
	unsigned stale; /* asked before the last reset: their replies count for nothing */
	unsigned waiting;
	struct smtp_reply gravest; /* code 0: no refusal yet */
};

struct lmtp_fold *lmtp_fold_new(void)
{
	struct lmtp_fold *fold = mem_new(1, sizeof *fold);

	buf_init(&fold->asked, NAMES_BYTES);
	buf_init(&fold->accepted, NAMES_BYTES);
	buf_init(&fold->unserved, NAMES_BYTES);
	return fold;
}

void lmtp_fold_free(struct lmtp_fold **pfold)
{
	if (*pfold == NULL)
		return;
	buf_fini(&(*pfold)->asked);
	buf_fini(&(*pfold)->accepted);
	buf_fini(&(*pfold)->unserved);
	mem_free(*pfold);
	*pfold = NULL;
}

void lmtp_fold_reset(struct lmtp_fold *fold)
{
	fold->stale = fold->waiting;
	buf_clear(&fold->accepted);
	buf_clear(&fold->unserved);
	fold->gravest.code = 0;
}

bool lmtp_fold_has_room(const struct lmtp_fold *fold, struct slice recipient)
{
	/* accepted must be able to hold all that is asked. */
	return fold->asked.len + fold->accepted.len + recipient.len < NAMES_BYTES;
}

void lmtp_fold_asked(struct lmtp_fold *fold, struct slice recipient)
{
	enum gp_err err = buf_append(&fold->asked, recipient);

	if (err == GP_OK)
		err = buf_append_byte(&fold->asked, '\0');
	GP_ASSERT(err == GP_OK);
	fold->waiting++;
}

/* The first name in names, with its NUL. */
static struct slice first_name(const struct buf *names)
{
	struct slice all = buf_slice(names);
	ptrdiff_t end = slice_find(all, '\0');

	GP_ASSERT(end >= 0);
	return slice_head(all, (size_t)end + 1);
}

static void move_first(struct buf *from, struct buf *to)
{
	struct slice name = first_name(from);
	enum gp_err err = to != NULL ? buf_append(to, name) : GP_OK;

	GP_ASSERT(err == GP_OK);
	buf_consume(from, name.len);
}

void lmtp_fold_answered(struct lmtp_fold *fold, bool is_accepted)
{
	bool is_stale = fold->stale > 0;

	fold->waiting--;
	fold->stale -= is_stale;
	move_first(&fold->asked, is_accepted && !is_stale ? &fold->accepted : NULL);
}

bool lmtp_fold_is_empty(const struct lmtp_fold *fold)
{
	return fold->accepted.len == 0;
}

/* The first lines of text. */
static struct slice head_lines(const char *text, unsigned lines)
{
	struct slice all = slice_str(text);
	size_t len = 0;

	while (lines > 0 && len < all.len) {
		ptrdiff_t end = slice_find(slice_from(all, len), '\n');

		len = end >= 0 ? len + (size_t)end + 1 : all.len + 1;
		lines--;
	}
	return slice_head(all, len > 0 ? len - 1 : 0);
}

/* "Not delivered to: a, b", on as many lines as there are; what is over is counted. */
static enum gp_err append_names(struct buf *out, struct buf *names)
{
	unsigned lines = REASON_LINES;
	size_t used = NAMES_LINE; /* of the line so far */
	unsigned more = 0;
	enum gp_err err = GP_OK;

	while (names->len > 0 && err == GP_OK) {
		struct slice name = first_name(names);
		bool is_new = used + name.len + 2 > NAMES_LINE;

		lines += is_new;
		if (lines < REPLY_LINES_MAX) {
			used = is_new ? name.len : used + name.len + 2;
			err = buf_printf(out, "%s%.*s", is_new ? "\nNot delivered to: " : ", ",
				(int)name.len - 1, name.data);
		} else {
			more++;
		}
		buf_consume(names, name.len);
	}
	if (more > 0 && err == GP_OK)
		err = buf_printf(out, "\nand to %u more", more);
	return err;
}

static void fold_refusal(struct lmtp_fold *fold, struct smtp_reply *reply)
{
	struct buf text;
	enum gp_err err;

	buf_init(&text, sizeof reply->text - 1);
	err = buf_append(&text, head_lines(fold->gravest.text, REASON_LINES));
	if (err == GP_OK)
		err = append_names(&text, &fold->unserved);
	GP_ASSERT(err == GP_OK);
	*reply = fold->gravest;
	(void)slice_copy(buf_slice(&text), reply->text, sizeof reply->text);
	buf_fini(&text);
}

bool lmtp_fold_take(struct lmtp_fold *fold, struct smtp_reply *reply)
{
	bool is_refusal = reply->code >= 300;

	if (lmtp_fold_is_empty(fold))
		return false;
	move_first(&fold->accepted, is_refusal ? &fold->unserved : NULL);
	if (is_refusal && reply->code / 100 > fold->gravest.code / 100)
		fold->gravest = *reply;
	if (!lmtp_fold_is_empty(fold))
		return false;
	if (fold->gravest.code != 0)
		fold_refusal(fold, reply);
	return true;
}

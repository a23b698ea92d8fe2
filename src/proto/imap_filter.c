/* SPDX-License-Identifier: ISC */
/*
 * Both directions are read word by word, a line at a time; nothing of a line is kept but the word
 * at hand and its last few bytes, where the head of a literal may stand. Only the word that may
 * have to be changed is held back.
 *
 * A backend's commands always begin behind a line feed, whatever it makes of literals. So each line
 * of the client is looked at, also those in literals.
 */
#include "proto/imap_filter.h"

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/imap_lex.h"

enum {
	WORD_MAX = 48, /* a longer word is none of those looked for */
	TAIL_MAX = 32, /* "{" 20 digits "+}" CR, and to spare */
};

struct imap_filter {
	bool is_responses;
	uint64_t literal_left; /* bytes of the literal we are in */
	bool is_inside;        /* the line began in a literal, or goes on behind one */
	bool is_status;        /* responses: OK, NO, BAD, BYE, PREAUTH or "+": has no literals */
	bool is_list;          /* responses: the words are capabilities */
	bool is_suspect;       /* commands: inside, and the last word was the verb COMPRESS */
	unsigned words;        /* of the line that are over, ended by space, tab or CR */
	unsigned runs;         /* the same, ended by space alone: backends differ */
	bool in_run;
	bool in_word; /* word[] grows */
	bool is_long; /* it did not fit */
	size_t word_len;
	char word[WORD_MAX];
	bool has_space; /* one space before the word is held back with it */
	size_t held;    /* bytes of word[] not passed on yet */
	size_t tail_len;
	char tail[TAIL_MAX]; /* of the line, outside literals */
};

static struct imap_filter *filter_new(bool is_responses)
{
	struct imap_filter *filter = mem_new(1, sizeof *filter);

	filter->is_responses = is_responses;
	return filter;
}

struct imap_filter *imap_filter_new_commands(void)
{
	return filter_new(false);
}

struct imap_filter *imap_filter_new_responses(void)
{
	return filter_new(true);
}

void imap_filter_free(struct imap_filter **pfilter)
{
	/* It has seen what people type. */
	if (*pfilter != NULL)
		mem_wipe(*pfilter, sizeof **pfilter);
	mem_free(*pfilter);
	*pfilter = NULL;
}

static void begin_line(struct imap_filter *filter, bool is_inside)
{
	filter->is_inside = is_inside;
	filter->is_status = false;
	filter->is_list = false;
	filter->is_suspect = false;
	filter->words = 0;
	filter->runs = 0;
	filter->in_run = false;
	filter->in_word = false;
	filter->is_long = false;
	filter->word_len = 0;
}

/* Passes on what is held back. */
static bool release(struct imap_filter *filter, struct buf *out)
{
	size_t from = filter->word_len - filter->held;

	if (filter->has_space && buf_append_byte(out, ' ') != GP_OK)
		return false;
	filter->has_space = false;
	if (buf_append(out, slice_of(filter->word + from, filter->held)) != GP_OK)
		return false;
	filter->held = 0;
	return true;
}

/* Whether the word that grows, or has just ended, is a command's verb to some backend. */
static bool is_verb(const struct imap_filter *filter)
{
	return filter->words == 1 || filter->runs == 1;
}

/* Whether the word that grows may have to be changed. */
static bool must_hold(const struct imap_filter *filter)
{
	if (filter->is_responses)
		return filter->is_list;
	return is_verb(filter) && !filter->is_inside;
}

static bool word_is(const struct imap_filter *filter, const char *text)
{
	return !filter->is_long && slice_is_nocase(slice_of(filter->word, filter->word_len), text);
}

static bool word_starts(const struct imap_filter *filter, const char *text)
{
	return slice_starts_nocase(slice_of(filter->word, filter->word_len), text);
}

/* A word of a command line is whole. false: it must not get through. */
static bool on_command_word(struct imap_filter *filter)
{
	if (filter->is_suspect) {
		filter->is_suspect = false;
		if (word_starts(filter, "DEFLATE") || word_starts(filter, "\"DEFLATE") ||
			word_starts(filter, "{"))
			return false;
	}
	if (!is_verb(filter))
		return true;
	if (filter->is_inside) {
		filter->is_suspect = word_is(filter, "COMPRESS");
		return !word_is(filter, "UNAUTHENTICATE");
	}
	if (word_is(filter, "UNAUTHENTICATE") || word_is(filter, "COMPRESS"))
		filter->word[0] = 'X';
	return true;
}

/* A word of a response is whole. */
static void on_response_word(struct imap_filter *filter)
{
	static const char *const statuses[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };

	if (filter->is_inside)
		return;
	if (filter->is_list) {
		if (word_is(filter, "UNAUTHENTICATE") || word_starts(filter, "COMPRESS=")) {
			filter->held = 0;
			filter->has_space = false;
		}
	} else if (filter->words == 0 && word_is(filter, "+")) {
		filter->is_status = true;
	} else if (filter->words == 1) {
		for (size_t i = 0; i < GP_ARRAY_LEN(statuses); i++)
			filter->is_status = filter->is_status || word_is(filter, statuses[i]);
		filter->is_list = word_is(filter, "CAPABILITY");
	} else if (filter->words == 2 && filter->is_status) {
		filter->is_list = word_is(filter, "[CAPABILITY");
	}
}

static bool end_word(struct imap_filter *filter, struct buf *out)
{
	bool may_pass = true;

	if (!filter->in_word)
		return true;
	if (filter->is_responses)
		on_response_word(filter);
	else
		may_pass = on_command_word(filter);
	if (!may_pass || !release(filter, out))
		return false;
	filter->words++;
	filter->in_word = false;
	filter->is_long = false;
	filter->word_len = 0;
	return true;
}

static bool grow_word(struct imap_filter *filter, char byte, struct buf *out)
{
	filter->in_word = true;
	filter->in_run = true;
	if (filter->word_len == WORD_MAX && !release(filter, out))
		return false;
	if (filter->word_len == WORD_MAX) {
		filter->is_long = true;
		return buf_append_byte(out, byte) == GP_OK;
	}
	filter->word[filter->word_len] = byte;
	filter->word_len++;
	if (!must_hold(filter))
		return buf_append_byte(out, byte) == GP_OK;
	filter->held++;
	return true;
}

/* A byte that is in no word: a space, or a line's end, or what ends a list. */
static bool pass_separator(struct imap_filter *filter, char byte, struct buf *out)
{
	if (!end_word(filter, out))
		return false;
	if (byte == ' ' && filter->in_run)
		filter->runs++;
	filter->in_run = byte != ' ' && byte != '\n';
	if (byte == ']')
		filter->is_list = false;
	if (filter->has_space && !release(filter, out))
		return false;
	if (byte == ' ' && filter->is_list) {
		filter->has_space = true;
		return true;
	}
	return buf_append_byte(out, byte) == GP_OK;
}

/* Once the words that matter are over, the rest of a line matters to nothing but its tail. */
static bool is_past_words(const struct imap_filter *filter)
{
	if (filter->in_word || filter->is_list || filter->is_suspect)
		return false;
	if (filter->is_responses)
		return filter->words >= 3 || filter->is_inside;
	return filter->words >= 2 && filter->runs >= 2;
}

static void keep_tail(struct imap_filter *filter, struct slice bytes)
{
	size_t keep;

	if (bytes.len >= TAIL_MAX) {
		memcpy(filter->tail, bytes.data + bytes.len - TAIL_MAX, TAIL_MAX);
		filter->tail_len = TAIL_MAX;
		return;
	}
	keep = filter->tail_len + bytes.len > TAIL_MAX ? TAIL_MAX - bytes.len : filter->tail_len;
	memmove(filter->tail, filter->tail + filter->tail_len - keep, keep);
	memcpy(filter->tail + keep, bytes.data, bytes.len);
	filter->tail_len = keep + bytes.len;
}

/* Digits enough to push a literal's brace out of the tail: no size that anyone means. */
static bool is_endless_number(struct slice tail)
{
	size_t digits = 0;

	if (tail.len < TAIL_MAX - 1 || tail.data[tail.len - 1] != '}')
		return false;
	for (size_t i = 0; i < tail.len; i++)
		digits += text_is_digit(tail.data[i]) ? 1 : 0;
	return digits >= tail.len - 2; /* all but "+}" */
}

/* A line feed outside a literal: is one announced before it? false: one too large. */
static bool end_line(struct imap_filter *filter)
{
	struct slice tail = slice_of(filter->tail, filter->tail_len);
	enum imap_literal kind = IMAP_LITERAL_NONE;
	uint64_t size = 0;

	if (tail.len > 0 && tail.data[tail.len - 1] == '\r')
		tail.len--;
	if (!filter->is_status) {
		kind = imap_lex_literal_head(tail, &size);
		if (size > UINT32_MAX || is_endless_number(tail))
			return false;
	}
	filter->literal_left = size;
	filter->tail_len = 0;
	begin_line(filter, kind != IMAP_LITERAL_NONE);
	return true;
}

/* One byte at a time where words matter. */
static bool pass_byte(struct imap_filter *filter, char byte, struct buf *out)
{
	bool is_separator = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' ||
			    (byte == ']' && filter->is_list);

	return is_separator ? pass_separator(filter, byte, out) : grow_word(filter, byte, out);
}

/* The bytes at the front of run that go on as they are. */
static size_t plain_length(const struct imap_filter *filter, struct slice run)
{
	ptrdiff_t end;

	if (filter->is_responses && filter->literal_left > 0)
		return run.len;
	if (!is_past_words(filter))
		return 0;
	end = slice_find(run, '\n');
	return end >= 0 ? (size_t)end : run.len;
}

/* Takes some of run, which lies wholly inside or wholly outside a literal. */
static bool pass_run(struct imap_filter *filter, struct slice *run, struct buf *out)
{
	bool is_literal = filter->literal_left > 0;
	size_t len = plain_length(filter, *run);
	bool ok = len > 0 ? buf_append(out, slice_head(*run, len)) == GP_OK
			  : pass_byte(filter, run->data[0], out);
	struct slice taken = slice_head(*run, len > 0 ? len : 1);

	if (!ok)
		return false;
	*run = slice_from(*run, taken.len);
	if (is_literal) {
		filter->literal_left -= taken.len;
		if (len == 0 && taken.data[0] == '\n')
			begin_line(filter, true);
		return true;
	}
	if (len == 0 && taken.data[0] == '\n')
		return end_line(filter);
	keep_tail(filter, taken);
	return true;
}

bool imap_filter_pass(void *state, struct slice bytes, struct buf *out)
{
	struct imap_filter *filter = state;

	while (bytes.len > 0) {
		struct slice run = bytes;
		size_t before;

		if (filter->literal_left > 0 && filter->literal_left < run.len)
			run = slice_head(run, (size_t)filter->literal_left);
		before = run.len;
		if (!pass_run(filter, &run, out))
			return false;
		bytes = slice_from(bytes, before - run.len);
	}
	return true;
}

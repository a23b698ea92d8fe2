/* SPDX-License-Identifier: ISC */
#include "transcript.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	FILE_MAX_BYTES = 1024 * 1024,
	WAITING_MAX = 1024 * 1024,
	ACTION_MAX = 4096,
	SHOWN_MAX = 400,
};

struct run {
	const struct transcript_engine *engine;
	void *state;
	const char *file;
	unsigned line;
	bool is_started;
	size_t piece;       /* bytes that arrive at a time; 0: all */
	struct buf waiting; /* fed and not used yet */
	size_t arrived;     /* of them the engine has seen these */
	struct buf action;  /* not matched yet */
	char *matched;      /* matched and not performed yet; NULL: none */
};

static bool fail(const struct run *run, const char *what, struct slice expected, struct slice got)
{
	fprintf(stderr, "%s:%u: (pieces of %zu) %s\n", run->file, run->line, run->piece, what);
	fprintf(stderr, "  expected: %.*s\n", (int)slice_head(expected, SHOWN_MAX).len,
		expected.len > 0 ? expected.data : "");
	fprintf(stderr, "  got:      %.*s\n", (int)slice_head(got, SHOWN_MAX).len,
		got.len > 0 ? got.data : "");
	return false;
}

static void add(struct buf *buf, struct slice bytes)
{
	GP_ASSERT(buf_append(buf, bytes) == GP_OK);
}

static int hex_digit(char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = byte != '\0' ? strchr(digits, byte) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* One escape at the start of text (behind its backslash): its length, 0 if there is no such. */
static size_t unescape_one(struct slice text, char *ret_byte)
{
	static const char names[] = "rn0\\";
	static const char bytes[] = "\r\n\0\\";
	const char *at = text.len > 0 ? memchr(names, text.data[0], 4) : NULL;

	if (at != NULL) {
		*ret_byte = bytes[at - names];
		return 1;
	}
	if (text.len < 3 || text.data[0] != 'x' || hex_digit(text.data[1]) < 0 ||
		hex_digit(text.data[2]) < 0)
		return 0;
	*ret_byte = (char)(unsigned char)(hex_digit(text.data[1]) * 16 + hex_digit(text.data[2]));
	return 3;
}

/* Text of a line as the bytes it stands for. */
static bool unescape(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (byte == '\\' && i + 1 == text.len)
			return true;
		if (byte == '\\') {
			size_t len = unescape_one(slice_from(text, i + 1), &byte);

			if (len == 0)
				return false;
			i += len;
		}
		add(out, slice_of(&byte, 1));
	}
	add(out, SLICE_LIT("\r\n"));
	return true;
}

static void start(struct run *run)
{
	if (!run->is_started)
		run->engine->start(run->state);
	run->is_started = true;
}

/* What the shell does by itself when it has seen the action; what was left then is left. */
static void perform(struct run *run)
{
	if (run->matched != NULL)
		run->engine->performed(run->state, run->matched);
	mem_free(run->matched);
	run->matched = NULL;
}

/* Lets the engine work until it has an action or can use nothing more. */
static void pump(struct run *run)
{
	size_t used = 0;

	start(run);
	perform(run);
	do {
		if (run->action.len > 0)
			return;
		if (used == 0 && run->arrived < run->waiting.len)
			run->arrived += run->piece > 0 ? run->piece : run->waiting.len;
		if (run->arrived > run->waiting.len)
			run->arrived = run->waiting.len;
		used = run->engine->input(run->state,
			slice_head(buf_slice(&run->waiting), run->arrived), &run->action);
		GP_ASSERT(used <= run->arrived);
		buf_consume(&run->waiting, used);
		run->arrived -= used;
	} while (used > 0 || run->action.len > 0 || run->arrived < run->waiting.len);
}

static bool said(struct run *run, struct slice expected)
{
	struct buf *output;
	struct slice got;

	pump(run);
	output = run->engine->output(run->state);
	got = buf_slice(output);
	if (!slice_equal(slice_head(got, expected.len), expected))
		return fail(run, "said something else", expected,
			got.len > 0 ? got : buf_slice(&run->action));
	buf_consume(output, expected.len);
	return true;
}

static bool acted(struct run *run, struct slice expected)
{
	pump(run);
	if (!slice_equal(buf_slice(&run->action), expected))
		return fail(run, "did something else", expected, buf_slice(&run->action));
	buf_clear(&run->action);
	run->matched = slice_dup(expected);
	return true;
}

static bool told(struct run *run, struct slice words)
{
	char *text = slice_dup(words);
	bool is_known;

	pump(run);
	is_known = run->action.len == 0 && run->engine->tell(run->state, text);
	mem_free(text);
	return is_known || fail(run, "cannot be told this now", words, buf_slice(&run->action));
}

static bool is_left(struct run *run, struct slice expected)
{
	if (!slice_equal(buf_slice(&run->waiting), expected))
		return fail(run, "left something else", expected, buf_slice(&run->waiting));
	buf_clear(&run->waiting);
	run->arrived = 0;
	return true;
}

static bool configure(struct run *run, struct slice text)
{
	struct slice rest = text;
	struct slice name = slice_word(&rest);
	char *name_text = slice_dup(name);
	char *value = slice_dup(slice_trim(rest));
	bool is_known = !run->is_started && run->engine->set(run->state, name_text, value);

	mem_free(name_text);
	mem_free(value);
	return is_known || fail(run, "no such setting, or too late", text, slice_of(NULL, 0));
}

/* "C: text" and the like: 'C', 'S', 'L' with the bytes meant. */
static bool play_bytes(struct run *run, char kind, struct slice text)
{
	char fed = 'C';
	struct buf bytes;
	bool ok;

	if (run->engine->is_client(run->state))
		fed = 'S';
	buf_init(&bytes, FILE_MAX_BYTES);
	ok = unescape(text, &bytes) || fail(run, "unknown escape", text, slice_of(NULL, 0));
	if (ok && kind == fed)
		add(&run->waiting, buf_slice(&bytes));
	else if (ok && kind == 'L')
		ok = is_left(run, buf_slice(&bytes));
	else if (ok)
		ok = said(run, buf_slice(&bytes));
	buf_fini(&bytes);
	return ok;
}

/* What stands behind the colon and one space. */
static bool has_key(struct slice line, const char *key, struct slice *ret_text)
{
	size_t len = strlen(key);

	if (!slice_is(slice_head(line, len), key))
		return false;
	*ret_text = slice_from(line, len);
	if (ret_text->len > 0 && ret_text->data[0] == ' ')
		*ret_text = slice_from(*ret_text, 1);
	return true;
}

static bool play(struct run *run, struct slice line)
{
	struct slice text = { NULL, 0 };

	if (line.len == 0 || line.data[0] == '#')
		return true;
	if (has_key(line, "C:", &text) || has_key(line, "S:", &text))
		return play_bytes(run, line.data[0], text);
	if (has_key(line, "LEFT:", &text))
		return play_bytes(run, 'L', text);
	if (has_key(line, "SET:", &text))
		return configure(run, text);
	if (has_key(line, "TELL:", &text))
		return told(run, text);
	return acted(run, line);
}

static bool finish(struct run *run)
{
	struct slice none = { NULL, 0 };

	pump(run);
	if (run->action.len > 0)
		return fail(run, "did more at the end", none, buf_slice(&run->action));
	if (run->engine->output(run->state)->len > 0)
		return fail(run, "said more at the end", none,
			buf_slice(run->engine->output(run->state)));
	return true;
}

static bool run_text(
	const struct transcript_engine *engine, const char *file, struct slice text, size_t piece)
{
	struct run run = { .engine = engine, .file = file, .piece = piece };
	bool ok = true;

	run.state = engine->create();
	buf_init(&run.waiting, WAITING_MAX);
	buf_init(&run.action, ACTION_MAX);
	while (ok && text.len > 0) {
		ptrdiff_t end = slice_find(text, '\n');
		size_t len = end >= 0 ? (size_t)end : text.len;

		run.line++;
		ok = play(&run, slice_head(text, len));
		text = slice_from(text, len + 1);
	}
	ok = ok && finish(&run);
	engine->destroy(run.state);
	mem_free(run.matched);
	buf_fini(&run.waiting);
	buf_fini(&run.action);
	return ok;
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rbe");
	bool ok = file != NULL;
	size_t got = 1;

	while (ok && got > 0) {
		ok = buf_reserve(out, 4096) == GP_OK;
		if (!ok)
			break;
		got = fread(buf_tail(out), 1, 4096, file);
		buf_added(out, got);
	}
	if (file != NULL)
		ok = fclose(file) == 0 && ok;
	return ok;
}

static bool run_file(const struct transcript_engine *engine, const char *path)
{
	static const size_t pieces[] = { 0, 1, 7 };
	struct buf text;
	bool ok;

	buf_init(&text, FILE_MAX_BYTES);
	ok = read_file(path, &text);
	if (!ok)
		fprintf(stderr, "%s: cannot be read\n", path);
	for (size_t i = 0; ok && i < GP_ARRAY_LEN(pieces); i++)
		ok = run_text(engine, path, buf_slice(&text), pieces[i]);
	printf("%s %s\n", ok ? "ok" : "not ok", path);
	buf_fini(&text);
	return ok;
}

static int is_transcript(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

/* Counts failures; a path that is no folder is a file. */
static unsigned run_path(
	const struct transcript_engine *engine, const char *path, unsigned *ret_files)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_transcript, alphasort);
	unsigned failed = 0;

	if (count < 0) {
		*ret_files += 1;
		return run_file(engine, path) ? 0 : 1;
	}
	for (int i = 0; i < count; i++) {
		char *name = mem_printf("%s/%s", path, entries[i]->d_name);

		failed += run_file(engine, name) ? 0 : 1;
		mem_free(name);
		mem_free(entries[i]);
	}
	mem_free(entries);
	*ret_files += (unsigned)count;
	return failed;
}

int transcript_main(const struct transcript_engine *engine, int argc, char **argv)
{
	unsigned files = 0;
	unsigned failed = 0;

	for (int i = 1; i < argc; i++)
		failed += run_path(engine, argv[i], &files);
	printf("%u transcripts, %u failed\n", files, failed);
	return files > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

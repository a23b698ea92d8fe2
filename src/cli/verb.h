/* SPDX-License-Identifier: ISC */
/*
 * What can be said to gatepost(8): one table of nouns and verbs, from which come the parsing of the
 * command line, the help, and what is printed. Most verbs are an operation of ops.def.
 */
#ifndef GP_CLI_VERB_H
#define GP_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "ops/ops.h"

enum {
	VERB_PARAMS_MAX = 12, /* positionals and options of one verb */
	VERB_COLUMNS_MAX = 12
};

enum param_kind {
	PARAM_TEXT,
	PARAM_NUMBER,
	PARAM_FLAG,
	PARAM_YES,   /* yes or no */
	PARAM_TEXTS, /* may be given several times */
	PARAM_TIME,  /* 2h (ago), a date, or RFC 3339; sent as RFC 3339 */
	PARAM_FILE,  /* a file whose descriptor goes along */
};

/* A positional (name "ADDRESS") or an option (name "--role"). */
struct param {
	const char *name;
	const char *value; /* of an option, in the help: "ROLE" */
	const char *key;   /* of the operation's argument; NULL: for gatepost itself */
	enum param_kind kind;
	bool is_required;
	const char *help;
};

/* How a value of a row is shown to people. */
enum cell {
	CELL_TEXT,    /* as it is; arrays joined */
	CELL_TIME,    /* RFC 3339 to local time */
	CELL_MINUTES, /* "in 12 min" */
	CELL_IF,      /* true: yes; false: nothing */
	CELL_DEVICE,  /* a device's number; 0: main password */
};

struct column {
	const char *key;
	const char *title;
	enum cell cell;
};

/* What the answer is. */
enum shape {
	SHAPE_LIST,   /* a table; JSON: an array */
	SHAPE_ONE,    /* one thing with all its values; JSON: an object */
	SHAPE_DONE,   /* a sentence; JSON: an object */
	SHAPE_DEVICE, /* a new device password, shown once */
	SHAPE_ZONE,   /* records of the DNS, as a zone file has them; JSON: an array */
	SHAPE_IMPORT, /* bad lines, then what was loaded; JSON: one object, "bad" its array */
	SHAPE_LOCAL,  /* needs no daemon */
};

enum {
	VERB_PASSWORD = 1, /* reads one from standard input */
	VERB_CONFIRM = 2,  /* asks before it acts; where there is --all, before that only */
	VERB_PROGRESS = 4, /* takes long and says how far it is */
	VERB_METRICS = 8,  /* knows --prometheus */
	VERB_VERDICT = 16, /* "ok": false in the row is an exit code of its own */
};

struct verb {
	const char *noun;
	const char *verb; /* NULL: the noun is all */
	enum ops_id op;   /* OPS_MAX: SHAPE_LOCAL */
	enum shape shape;
	unsigned flags;
	const char *summary; /* NULL: the operation's own */
	/* LIST: what is said when there is nothing. DONE: the sentence; {key} is a value of the row
	 * or an argument. CONFIRM: the question stands in question. */
	const char *sentence;
	const char *question;
	const char *example;
	struct param params[VERB_PARAMS_MAX]; /* up to the first without name */
	struct column columns[VERB_COLUMNS_MAX];
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* NULL if there is none; verb may be NULL. */
const struct verb *verb_find(const char *noun, const char *verb);
bool verb_is_noun(const char *noun);
const char *verb_summary(const struct verb *verb);
bool param_is_option(const struct param *param);

#endif

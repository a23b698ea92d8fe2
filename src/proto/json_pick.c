/* SPDX-License-Identifier: ISC */
/*
 *	VALUE ---{--> NAME_OR_END --"--> STRING --> COLON --:--> VALUE
 *	  |  `--[--> VALUE_OR_END                                  |
 *	  |--"--> STRING <--> ESCAPE, HEX                          |
 *	  |--> NUMBER, WORD                                        |
 *	  `--> BEHIND --,--> NAME or VALUE; --} or ]--> BEHIND, at the end DONE
 */
#include "proto/json_pick.h"

#include <string.h>

#include "base/text.h"

enum state {
	FIRST, /* nothing but an object will do */
	VALUE,
	VALUE_OR_END, /* behind [ */
	NAME,
	NAME_OR_END, /* behind { */
	COLON,
	STRING,
	ESCAPE,
	HEX,
	NUMBER,
	WORD,
	BEHIND, /* a value */
	DONE,
	BAD,
};

/* Parts of a number. */
enum part {
	PART_MINUS,
	PART_ZERO,
	PART_INTEGER,
	PART_POINT,
	PART_FRACTION,
	PART_E,
	PART_SIGN,
	PART_EXPONENT,
	NO_PART,
};

void json_pick_init(struct json_pick *pick, struct json_pick_member *members, unsigned count)
{
	*pick = (struct json_pick){ .members = members, .count = count, .state = FIRST };
	for (unsigned i = 0; i < count; i++) {
		members[i].value[0] = '\0';
		members[i].is_met = false;
	}
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* What passes by. */

static void keep(struct json_pick *pick, char byte)
{
	struct json_pick_member *member = pick->member;

	if (pick->is_name) {
		if (pick->name_len < JSON_PICK_NAME_SIZE)
			pick->name[pick->name_len++] = byte;
		return;
	}
	if (member == NULL)
		return;
	if (pick->value_len + 1 < JSON_PICK_VALUE_SIZE) {
		member->value[pick->value_len++] = byte;
		member->value[pick->value_len] = '\0';
	} else {
		member->value[0] = '\0';
		pick->member = NULL;
	}
}

/* Of the outermost object: is the one whose name has passed wanted? */
static enum state end_name(struct json_pick *pick)
{
	struct slice name = slice_of(pick->name, pick->name_len);

	pick->is_name = false;
	pick->member = NULL;
	for (unsigned i = 0; pick->depth == 1 && i < pick->count; i++) {
		if (!slice_is(name, pick->members[i].name))
			continue;
		if (pick->members[i].is_met)
			return BAD;
		pick->members[i].is_met = true;
		pick->member = &pick->members[i];
		pick->value_len = 0;
	}
	return COLON;
}

static enum state end_string(struct json_pick *pick)
{
	if (pick->is_name)
		return end_name(pick);
	pick->member = NULL;
	return BEHIND;
}

/* Containers. */

static enum state open(struct json_pick *pick, bool is_object)
{
	if (pick->depth == JSON_PICK_DEPTH_MAX)
		return BAD;
	pick->depth++;
	pick->objects = pick->objects << 1 | is_object;
	pick->member = NULL;
	return is_object ? NAME_OR_END : VALUE_OR_END;
}

static bool is_in_object(const struct json_pick *pick)
{
	return pick->objects & 1;
}

static enum state close(struct json_pick *pick, char byte)
{
	if ((byte == '}') != is_in_object(pick))
		return BAD;
	pick->depth--;
	pick->objects >>= 1;
	return pick->depth == 0 ? DONE : BEHIND;
}

/* States. */

static enum state begin_name(struct json_pick *pick, char byte)
{
	if (byte != '"')
		return BAD;
	pick->is_name = true;
	pick->name_len = 0;
	return STRING;
}

static enum state begin_word(struct json_pick *pick, const char *word)
{
	pick->word = word;
	pick->part = 1;
	pick->member = NULL;
	return WORD;
}

static enum state begin_value(struct json_pick *pick, char byte)
{
	if (pick->member != NULL && pick->member->is_string != (byte == '"'))
		pick->member = NULL;
	switch (byte) {
	case '{':
	case '[':
		return open(pick, byte == '{');
	case '"':
		return STRING;
	case 't':
		return begin_word(pick, "true");
	case 'f':
		return begin_word(pick, "false");
	case 'n':
		return begin_word(pick, "null");
	default:
		break;
	}
	if (byte != '-' && !text_is_digit(byte))
		return BAD;
	pick->part = byte == '-' ? PART_MINUS : byte == '0' ? PART_ZERO : PART_INTEGER;
	keep(pick, byte);
	return NUMBER;
}

static enum state in_behind(struct json_pick *pick, char byte)
{
	if (byte == ',')
		return is_in_object(pick) ? NAME : VALUE;
	return byte == '}' || byte == ']' ? close(pick, byte) : BAD;
}

static enum state in_string(struct json_pick *pick, char byte)
{
	if (byte == '"')
		return end_string(pick);
	if ((unsigned char)byte < 0x20)
		return BAD;
	keep(pick, byte);
	return byte == '\\' ? ESCAPE : STRING;
}

static enum state in_escape(struct json_pick *pick, char byte)
{
	keep(pick, byte);
	if (byte == 'u') {
		pick->part = 0;
		return HEX;
	}
	return byte != '\0' && strchr("\"\\/bfnrt", byte) != NULL ? STRING : BAD;
}

static enum state in_hex(struct json_pick *pick, char byte)
{
	char low = text_lower(byte);

	if (!text_is_digit(byte) && (low < 'a' || low > 'f'))
		return BAD;
	keep(pick, byte);
	return ++pick->part == 4 ? STRING : HEX;
}

static enum state in_word(struct json_pick *pick, char byte)
{
	if (byte != pick->word[pick->part])
		return BAD;
	return pick->word[++pick->part] == '\0' ? BEHIND : WORD;
}

/* Bytes of a number. */
enum kind {
	KIND_ZERO,
	KIND_DIGIT,
	KIND_POINT,
	KIND_E,
	KIND_SIGN,
	KIND_NONE,
};

static enum kind kind_of(char byte)
{
	if (text_is_digit(byte))
		return byte == '0' ? KIND_ZERO : KIND_DIGIT;
	if (byte == '.')
		return KIND_POINT;
	if (byte == 'e' || byte == 'E')
		return KIND_E;
	return byte == '+' || byte == '-' ? KIND_SIGN : KIND_NONE;
}

/* What follows each part, by the byte; NO_PART: the byte is none of the number's. */
static const enum part next_parts[NO_PART][KIND_NONE + 1] = {
	[PART_MINUS] = { PART_ZERO, PART_INTEGER, NO_PART, NO_PART, NO_PART, NO_PART },
	[PART_ZERO] = { NO_PART, NO_PART, PART_POINT, PART_E, NO_PART, NO_PART },
	[PART_INTEGER] = { PART_INTEGER, PART_INTEGER, PART_POINT, PART_E, NO_PART, NO_PART },
	[PART_POINT] = { PART_FRACTION, PART_FRACTION, NO_PART, NO_PART, NO_PART, NO_PART },
	[PART_FRACTION] = { PART_FRACTION, PART_FRACTION, NO_PART, PART_E, NO_PART, NO_PART },
	[PART_E] = { PART_EXPONENT, PART_EXPONENT, NO_PART, NO_PART, PART_SIGN, NO_PART },
	[PART_SIGN] = { PART_EXPONENT, PART_EXPONENT, NO_PART, NO_PART, NO_PART, NO_PART },
	[PART_EXPONENT] = { PART_EXPONENT, PART_EXPONENT, NO_PART, NO_PART, NO_PART, NO_PART },
};

/* The byte behind a number belongs to what follows. */
static enum state in_number(struct json_pick *pick, char byte)
{
	enum part part = next_parts[pick->part][kind_of(byte)];

	if (part != NO_PART) {
		pick->part = part;
		keep(pick, byte);
		return NUMBER;
	}
	if (pick->part != PART_ZERO && pick->part != PART_INTEGER && pick->part != PART_FRACTION &&
		pick->part != PART_EXPONENT)
		return BAD;
	pick->member = NULL;
	return is_space(byte) ? BEHIND : in_behind(pick, byte);
}

static enum state step(struct json_pick *pick, char byte)
{
	enum state state = (enum state)pick->state;
	bool is_between = state != STRING && state != ESCAPE && state != HEX && state != NUMBER &&
			  state != WORD && state != BAD;

	if (is_between && is_space(byte))
		return state;
	switch (state) {
	case FIRST:
		return byte == '{' ? open(pick, true) : BAD;
	case VALUE:
		return begin_value(pick, byte);
	case VALUE_OR_END:
		return byte == ']' ? close(pick, byte) : begin_value(pick, byte);
	case NAME:
		return begin_name(pick, byte);
	case NAME_OR_END:
		return byte == '}' ? close(pick, byte) : begin_name(pick, byte);
	case COLON:
		return byte == ':' ? VALUE : BAD;
	case STRING:
		return in_string(pick, byte);
	case ESCAPE:
		return in_escape(pick, byte);
	case HEX:
		return in_hex(pick, byte);
	case NUMBER:
		return in_number(pick, byte);
	case WORD:
		return in_word(pick, byte);
	case BEHIND:
		return in_behind(pick, byte);
	case DONE:
	case BAD:
		break;
	}
	return BAD;
}

enum json_pick_step json_pick_input(struct json_pick *pick, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len && pick->state != BAD; i++)
		pick->state = step(pick, bytes.data[i]);
	return pick->state == BAD    ? JSON_PICK_BAD
	       : pick->state == DONE ? JSON_PICK_DONE
				     : JSON_PICK_MORE;
}

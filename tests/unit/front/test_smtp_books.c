/* SPDX-License-Identifier: ISC */
/* What core hears of recipients and transactions: all that it reserved a place for, once. */
#include "front/smtp_books.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "front/session_core.h"

/* What was told, a word each: "0u" is recipient 0, unknown; "=1/2" a message done, accepted, of two
 * recipients; a "!" behind it: it is spam. */
static char told[1024];

enum {
	SIZE = 4321
};

static void say(const char *word)
{
	size_t used = strlen(told);

	(void)snprintf(told + used, sizeof told - used, "%s%s", used > 0 ? " " : "", word);
}

void session_core_tell_rcpt(struct session *session, uint32_t index, enum rcpt_outcome outcome)
{
	char word[32];

	(void)session;
	(void)snprintf(word, sizeof word, "%u%c", (unsigned)index, "rusd"[outcome]);
	say(word);
}

void session_core_tell_done(struct session *session, const struct ipc_message_done *done)
{
	char word[64];

	(void)session;
	(void)snprintf(word, sizeof word, "=%d/%u%s%s", (int)done->accepted,
		(unsigned)done->recipients, done->is_spam ? "!" : "",
		done->accepted && done->size != SIZE ? "?" : "");
	say(word);
}

/*
 * A step a letter. p: core said yes to a recipient; >: it is passed on; k: it is not. r u s d: the
 * reply to the oldest RCPT. 0 1 2 3: over LMTP, that of one recipient to the message, in the same
 * order. R U S D: the last reply to the message; X Y: it was lost; N: there was none. Q F: a
 * question is open; a: it is answered. g: core is gone; f: the connection is; o: nobody is signed
 * in.
 */
struct books_case {
	const char *name;
	const char *steps;
	const char *told;
	bool is_lmtp;
};

static const struct books_case cases[] = {
	{ "one recipient", "p>dD", "=1/1", false },
	{ "one and one more", "p>dp>dD", "=1/2", false },
	{ "pipelined", "p>p>p>dddD", "=1/3", false },
	{ "one is unknown", "p>p>udD", "0u =1/1", false },
	{ "the second is", "p>p>duD", "1u =1/1", false },
	{ "each with its own", "p>p>p>rusN", "0r 1u 2s =0/0", false },
	{ "not passed on", "pkp>dD", "0r =1/1", false },
	{ "not passed on, once", "pkk", "0r", false },
	{ "nothing to keep", "k", "", false },
	{ "nothing to keep once it was passed on", "p>kdD", "=1/1", false },
	{ "given up", "p>dN", "=0/0", false },
	{ "given up before core said yes", "N", "", false },
	{ "refused as spam", "p>dp>dS", "=0/0!", false },
	{ "refused", "p>dp>dR", "=0/0", false },
	{ "lost", "p>dX", "=0/0", false },
	{ "lost, whatever it says", "p>dY", "=0/0", false },
	{ "its only recipient is unknown after all", "p>dU", "0u =0/0", false },
	{ "the only one that was left", "p>p>udU", "0u 1u =0/0", false },
	{ "one of two, nobody knows which", "p>dp>dU", "=0/0", false },
	{ "nobody is signed in", "op>uN", "", false },
	{ "nobody is, and it was sent", "op>dD", "=1/1", false },
	/* Over LMTP each has a reply. */
	{ "all have it", "p>dp>d3D", "=1/2", true },
	{ "one has not", "p>dp>dp>d31S", "0d 1u =0/1!", true },
	{ "none has", "p>dp>d0R", "=0/0", true },
	{ "the first is spam", "p>dp>d2R", "=0/0!", true },
	{ "one was refused before", "p>p>p>udd3R", "0u 1d =0/1", true },
	{ "lost in the midst of it", "p>dp>d3X", "0d =0/1", true },
	/* Transactions behind each other. */
	{ "the next begins anew", "p>dp>dDp>uN", "=1/2 0u =0/0", false },
	{ "late replies belong to nobody", "p>p>Nudp>uN", "=0/0 0u =0/0", false },
	{ "a late yes", "p>Ndp>dU", "=0/0 0u =0/0", false },
	{ "several late ones", "p>dDp>p>Nuup>uN", "=1/1 =0/0 0u =0/0", false },
	{ "a message is of its own recipients", "p>dDp>dU", "=1/1 0u =0/0", false },
	{ "late and new ones", "p>Np>rdD", "=0/0 =1/1", false },
	{ "a list is of its own message", "p>dp>d3Up>dR", "0d 1u =0/1 =0/0", true },
	{ "and so is the next one", "p>p>udDp>dU", "0u =1/1 0u =0/0", true },
	/* While a question is open. */
	{ "not before the answer", "p>dQN", "", false },
	{ "nor of a From:", "p>dFN", "", false },
	{ "over once", "p>dQNap>QadD", "=0/0 =1/1", false },
	{ "over while asked", "p>dQNaa", "=0/0", false },
	{ "over while asked for a From:", "p>dFNaa", "=0/0", false },
	{ "over while asked, and core said yes", "QNpa", "=0/0", false },
	{ "answered, nothing is due", "p>dQaD", "=1/1", false },
	/* Core is gone, and what it had reserved. */
	{ "gone before the reply", "p>guN", "", false },
	{ "gone behind it", "p>dgN", "", false },
	{ "gone, sent all the same", "p>dgU", "=0/0", false },
	{ "gone over LMTP", "p>dp>dg3R", "=0/1", true },
	{ "gone while due", "p>dQNga", "", false },
	{ "gone while due, and a new core", "p>dQNgp>auN", "0u =0/0", false },
	{ "gone with a late one", "p>Np>guuN", "=0/0", false },
	{ "and a new core", "p>dgNp>uN", "0u =0/0", false },
	/* The connection is: no reply will come. */
	{ "reset", "p>p>fNp>uN", "=0/0 0u =0/0", false },
};

static void end(struct smtp_books *books, char letter)
{
	static const char outcomes[] = "RUSD";
	const char *at = strchr(outcomes, letter);
	struct smtp_books_end end = { .is_sent = letter != 'N',
		.is_accepted = letter == 'D',
		.accepted = books->accepted_count,
		.size = SIZE,
		.has_reply = at != NULL,
		/* Without a reply nobody said so. */
		.outcome = letter == 'Y' ? RCPT_UNKNOWN : RCPT_SPAM };

	if (at != NULL)
		end.outcome = (enum rcpt_outcome)(at - outcomes);
	smtp_books_settle(books, &end);
}

static void step(struct smtp_books *books, char letter, bool is_lmtp)
{
	static const char outcomes[] = "rusd";
	struct session *session = books->session;
	const char *at = strchr(outcomes, letter);

	if (at != NULL) {
		smtp_books_answer(books, (enum rcpt_outcome)(at - outcomes), is_lmtp);
	} else if (letter >= '0' && letter <= '3') {
		smtp_books_part(books, (enum rcpt_outcome)(letter - '0'));
	} else if (letter == 'p') {
		smtp_books_permit(books);
	} else if (letter == '>') {
		smtp_books_pass(books);
	} else if (letter == 'k') {
		smtp_books_keep(books);
	} else if (letter == 'Q' || letter == 'F') {
		session->question = letter == 'Q' ? SESSION_ASKS_RCPT : SESSION_ASKS_FROM;
	} else if (letter == 'a') {
		session->question = SESSION_ASKS_NOTHING;
		smtp_books_on_answer(books);
	} else if (letter == 'g') {
		smtp_books_on_core_gone(books);
	} else if (letter == 'f') {
		smtp_books_forget_owed(books);
	} else if (letter == 'o') {
		session->person = NULL;
	} else {
		end(books, letter);
	}
}

static void test_books(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static char person; /* only that there is one is looked at */
		struct session session = { .person = (struct session_person *)(void *)&person };
		struct smtp_books books;

		told[0] = '\0';
		smtp_books_init(&books, &session);
		for (const char *at = cases[i].steps; *at != '\0'; at++)
			step(&books, *at, cases[i].is_lmtp);
		smtp_books_fini(&books);
		if (strcmp(told, cases[i].told) != 0)
			fail_msg("%s: %s", cases[i].name, told);
	}
}

/* As many replies as may be owed, round and round: each is its own recipient's. */
static void test_ring(void **state)
{
	static char person;
	struct session session = { .person = (struct session_person *)(void *)&person };
	struct smtp_books books;
	unsigned number = 0;

	(void)state;
	smtp_books_init(&books, &session);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < SMTP_SERVER_PENDING; i++) {
			smtp_books_permit(&books);
			smtp_books_pass(&books);
		}
		for (unsigned i = 0; i < SMTP_SERVER_PENDING; i++, number++) {
			char wanted[16];
			bool is_good = i % 7 != 3;

			told[0] = '\0';
			(void)snprintf(wanted, sizeof wanted, "%us", number);
			smtp_books_answer(&books, is_good ? RCPT_DELIVERED : RCPT_SPAM, true);
			assert_string_equal(told, is_good ? "" : wanted);
		}
		/* Not a multiple of the ring. */
		smtp_books_permit(&books);
		smtp_books_pass(&books);
		smtp_books_answer(&books, RCPT_DELIVERED, true);
		number++;
	}
	told[0] = '\0';
	for (unsigned i = 1; i < books.accepted_count; i++)
		smtp_books_part(&books, i == 4 ? RCPT_UNKNOWN : RCPT_REFUSED);
	end(&books, 'R');
	assert_string_equal(
		told, "4u =0/0"); /* the fourth that was left: number 3 was refused at RCPT */
	smtp_books_fini(&books);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_books),
		cmocka_unit_test(test_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

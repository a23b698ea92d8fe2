/* SPDX-License-Identifier: ISC */
/*
 * A crowd of mail programs: signs in, sends, fetches, holds connections open, and says in one line
 * of JSON how it went. usage() lists the options. Ends on SIGTERM with what it has.
 */
#include "mailload.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/slice.h"
#include "co.h"

enum {
	FAULTS_SHOWN = 8,
	USER_LINE = 512,
	BODY_LINE = 78, /* with CRLF */
	OPENING = 128,  /* of held connections at once */
	RETRY_MS = 20,  /* after a failed session */
};

struct times {
	double *all;
	size_t count;
	size_t size;
};

static struct task task = { .sources = 1, .connections = 1, .message_size = 4096 };
static struct body body;
static struct results {
	struct times signin;
	struct times message;
	unsigned long sessions;
	unsigned long refused;
	unsigned long failed;
	unsigned long dropped; /* held connections that the server ended */
	unsigned long fetches;
	unsigned long long fetched_bytes;
	double first;
	double last;
	double all_held;
} results;
static unsigned long started, opening, held, wrong_number;
static bool must_hold;

static void note_time(struct times *times, double begun)
{
	if (times->count == times->size) {
		times->size = times->size == 0 ? 4096 : 2 * times->size;
		times->all = mem_resize(times->all, times->size, sizeof *times->all);
	}
	results.last = co_now();
	times->all[times->count++] = (results.last - begun) * 1e3;
}

static void note_fault(struct dialog *dialog)
{
	if (co_is_stopping())
		return;
	if (results.failed++ < FAULTS_SHOWN)
		fprintf(stderr, "mailload: %s: %s (%s)\n", dialog->stage,
			dialog->stream.fault != NULL ? dialog->stream.fault : "refused",
			dialog->stream.line);
}

/* All that a signed-in session does. */
static bool work(struct dialog *dialog)
{
	for (unsigned long i = 0; i < task.messages; i++) {
		double begun = co_now();

		if (dialog_send_message(dialog, &body) != ANSWER_YES)
			return false;
		note_time(&results.message, begun);
	}
	if (task.fetches > 0 && dialog_select(dialog) != ANSWER_YES)
		return false;
	for (unsigned long i = 0; i < task.fetches; i++) {
		if (dialog_fetch(dialog, &results.fetched_bytes) != ANSWER_YES)
			return false;
		results.fetches++;
		results.last = co_now();
	}
	return true;
}

static void hold(struct dialog *dialog)
{
	char bytes[256];

	opening--;
	if (++held == task.connections) {
		results.all_held = co_now();
		fprintf(stderr, "held %lu\n", held);
	}
	dialog->stream.patience = 0;
	while (stream_read(&dialog->stream, bytes, sizeof bytes) > 0)
		;
	if (!co_is_stopping())
		results.dropped++;
}

static enum answer sign_in(struct dialog *dialog, const struct user *user)
{
	char wrong[64];

	if (!task.is_wrong)
		return dialog_sign_in(dialog, user->name, user->password);
	snprintf(wrong, sizeof wrong, "wrong-%lu", ++wrong_number);
	return dialog_sign_in(dialog, user->name, wrong);
}

/* false: it failed. */
static bool run_dialog(struct dialog *dialog, unsigned long number)
{
	double begun = co_now();
	uint32_t source = task.source == 0 ? 0 : task.source + (uint32_t)(number % task.sources);
	char byte;
	enum answer answer;

	if (!dialog_open(dialog, source))
		return false;
	if (task.is_bare) {
		(void)stream_read(&dialog->stream, &byte, 1);
		note_time(&results.signin, begun);
		return true;
	}
	answer = sign_in(dialog, &task.users[number % task.user_count]);
	if (answer == ANSWER_NO)
		results.refused++;
	if (answer != ANSWER_YES)
		return answer == ANSWER_NO;
	note_time(&results.signin, begun);
	if (!work(dialog))
		return false;
	if (must_hold)
		hold(dialog);
	else if (task.has_ending)
		dialog_end(dialog);
	return true;
}

static bool run_session(unsigned long number)
{
	struct dialog dialog = { .task = &task };
	bool is_good = run_dialog(&dialog, number);

	if (is_good)
		results.sessions++;
	else
		note_fault(&dialog);
	stream_close(&dialog.stream, task.is_bare);
	return is_good;
}

static bool is_over(void)
{
	return co_is_stopping() || (task.total > 0 && started >= task.total) ||
	       (task.seconds > 0 && co_now() >= results.first + (double)task.seconds);
}

static void run_client(void *arg)
{
	(void)arg;
	while (!is_over()) {
		if (!run_session(started++) && !must_hold)
			co_sleep_until(co_now() + RETRY_MS * 1e-3);
		if (must_hold)
			return;
	}
}

/* Held connections are opened some at a time: the accept queue is not what is measured. */
static void open_held(void *arg)
{
	(void)arg;
	for (unsigned long i = 0; i < task.connections && !co_is_stopping(); i++) {
		while (opening >= OPENING && !co_is_stopping())
			co_sleep_until(co_now() + 0.002);
		opening++;
		co_start(run_client, NULL);
	}
}

static void make_body(size_t size)
{
	static const char head[] =
		"From: load@example.org\r\nTo: b@example.net\r\nSubject: load\r\n"
		"Message-ID: <load@example.org>\r\n"
		"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n";

	body.bytes = mem_new(size + sizeof head + 2 * BODY_LINE, 1);
	memcpy(body.bytes, head, sizeof head - 1);
	body.len = sizeof head - 1;
	while (body.len < size) {
		memset(body.bytes + body.len, 'x', BODY_LINE - 2);
		memcpy(body.bytes + body.len + BODY_LINE - 2, "\r\n", 2);
		body.len += BODY_LINE;
	}
	memcpy(body.bytes + body.len, ".\r\n", 3);
	body.len += 3;
}

/* Lines of a name, a space and a password. */
static void read_users(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[USER_LINE];

	if (file == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	while (fgets(line, sizeof line, file) != NULL) {
		struct slice rest = slice_str(line);
		struct slice name = slice_word(&rest);
		struct slice password = slice_trim(rest);

		password = slice_head(password, strcspn(password.data, "\r\n"));
		task.users = mem_resize(task.users, task.user_count + 1, sizeof *task.users);
		task.users[task.user_count++] =
			(struct user){ slice_dup(name), slice_dup(password) };
	}
	fclose(file);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double percentile(struct times *times, double part)
{
	if (times->count == 0)
		return 0;
	qsort(times->all, times->count, sizeof *times->all, compare);
	return times->all[(size_t)(part * (double)(times->count - 1) + 0.5)];
}

static void print_results(void)
{
	struct rusage usage;
	double cpu;

	getrusage(RUSAGE_SELF, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
	printf("{\"elapsed\":%.4f,\"sessions\":%lu,\"signins\":%zu,\"refused\":%lu,\"failed\":%lu,"
	       "\"signin_p50\":%.3f,\"signin_p99\":%.3f,\"messages\":%zu,\"message_p50\":%.3f,"
	       "\"message_p99\":%.3f,\"fetches\":%lu,\"fetched\":%llu,\"held\":%lu,"
	       "\"held_after\":%.3f,\"dropped\":%lu,\"cpu\":%.4f}\n",
		results.last > results.first ? results.last - results.first : 0, results.sessions,
		results.signin.count, results.refused, results.failed,
		percentile(&results.signin, 0.5), percentile(&results.signin, 0.99),
		results.message.count, percentile(&results.message, 0.5),
		percentile(&results.message, 0.99), results.fetches, results.fetched_bytes, held,
		results.all_held > 0 ? results.all_held - results.first : -1, results.dropped, cpu);
}

static _Noreturn void usage(void)
{
	fputs("mailload --proto imap|pop3|smtp --tls none|implicit|starttls --port P --users FILE\n"
	      "  --connections N  --total SESSIONS  --seconds S  --source ADDRESS --sources N\n"
	      "  --messages N --size B  --fetches N  --hold  --bare  --wrong  --no-ending\n"
	      "FILE: lines of a name and a password. --hold: stay signed in until SIGTERM.\n"
	      "--bare: connect and wait for the server's end. --wrong: passwords are.\n",
		stderr);
	exit(2);
}

/* The index of text among count choices. */
static unsigned choose(const char *text, const char *const *choices, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(text, choices[i]) == 0)
			return i;
	}
	usage();
}

static const struct option options[] = { { "proto", 1, NULL, 'p' }, { "tls", 1, NULL, 't' },
	{ "port", 1, NULL, 'P' }, { "users", 1, NULL, 'u' }, { "connections", 1, NULL, 'c' },
	{ "total", 1, NULL, 'n' }, { "seconds", 1, NULL, 's' }, { "source", 1, NULL, 'a' },
	{ "sources", 1, NULL, 'A' }, { "messages", 1, NULL, 'm' }, { "size", 1, NULL, 'b' },
	{ "fetches", 1, NULL, 'f' }, { "hold", 0, NULL, 'h' }, { "bare", 0, NULL, 'B' },
	{ "wrong", 0, NULL, 'w' }, { "no-ending", 0, NULL, 'e' }, { NULL, 0, NULL, 0 } };

static void set_number(int option, unsigned long number)
{
	switch (option) {
	case 'P':
		task.port = (uint16_t)number;
		break;
	case 'c':
		task.connections = number;
		break;
	case 'n':
		task.total = number;
		break;
	case 's':
		task.seconds = number;
		break;
	case 'A':
		task.sources = number;
		break;
	case 'm':
		task.messages = number;
		break;
	case 'b':
		task.message_size = number;
		break;
	case 'f':
		task.fetches = number;
		break;
	default:
		usage();
	}
}

static void set_option(int option)
{
	static const char *const protocols[] = { "imap", "pop3", "smtp" };
	static const char *const modes[] = { "none", "implicit", "starttls" };

	switch (option) {
	case 'p':
		task.protocol = (enum protocol)choose(optarg, protocols, 3);
		break;
	case 't':
		task.tls = (enum tls)choose(optarg, modes, 3);
		break;
	case 'u':
		read_users(optarg);
		break;
	case 'a':
		task.source = ntohl(inet_addr(optarg));
		break;
	case 'h':
		must_hold = true;
		break;
	case 'B':
		task.is_bare = true;
		break;
	case 'w':
		task.is_wrong = true;
		break;
	case 'e':
		task.has_ending = false;
		break;
	default:
		if (optarg == NULL)
			usage();
		set_number(option, stream_number(optarg, option == 'P' ? UINT16_MAX : 1UL << 30));
	}
}

/* Full handshakes of TLS 1.3, no resumption. */
static void make_context(void)
{
	task.context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(task.context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(task.context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					       SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(task.context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(task.context, SSL_SESS_CACHE_OFF);
}

static void on_signal(int number)
{
	(void)number;
	co_stop();
}

int main(int argc, char **argv)
{
	int option;

	task.has_ending = true;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		set_option(option);
	if (task.port == 0 || (task.user_count == 0 && !task.is_bare) || optind < argc)
		usage();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, on_signal);
	make_context();
	make_body(task.message_size);
	results.first = co_now();
	if (must_hold)
		co_start(open_held, NULL);
	else {
		for (unsigned long i = 0; i < task.connections; i++)
			co_start(run_client, NULL);
	}
	co_loop();
	print_results();
	return 0;
}

/* SPDX-License-Identifier: ISC */
#include "parent/hook.h"

#include <bsd/sys/queue.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "privsep/program.h"

enum {
	WORD_MAX = 4096, /* bytes of a word that is filled in */
	REASON_SIZE = 1024,
};

struct hook {
	TAILQ_ENTRY(hook) link;
	struct hooks *hooks;
	char *account;
	char *reason;
	pid_t pid; /* 0: it waits */
	bool is_late;
	struct loop_timer timer;
};

TAILQ_HEAD(hook_list, hook);

struct hooks {
	struct parent *parent;
	struct hook_list running;
	struct hook_list waiting;
	unsigned running_count;
	unsigned waiting_count;
};

struct hooks *hooks_new(struct parent *parent)
{
	struct hooks *hooks = mem_new(1, sizeof *hooks);

	hooks->parent = parent;
	TAILQ_INIT(&hooks->running);
	TAILQ_INIT(&hooks->waiting);
	return hooks;
}

static void free_hook(struct hook *hook)
{
	loop_timer_fini(&hook->timer);
	mem_free(hook->account);
	mem_free(hook->reason);
	mem_free(hook);
}

void hooks_free(struct hooks **phooks)
{
	struct hooks *hooks = *phooks;
	struct hook *hook;

	*phooks = NULL;
	if (hooks == NULL)
		return;
	while ((hook = TAILQ_FIRST(&hooks->running)) != NULL) {
		TAILQ_REMOVE(&hooks->running, hook, link);
		log_warn("hook_killed", LOG_STR("account", hook->account),
			LOG_STR("why", "stopping"));
		program_kill(hook->pid);
		free_hook(hook);
	}
	while ((hook = TAILQ_FIRST(&hooks->waiting)) != NULL) {
		TAILQ_REMOVE(&hooks->waiting, hook, link);
		log_warn("hook_not_run", LOG_STR("account", hook->account),
			LOG_STR("why", "stopping"));
		free_hook(hook);
	}
	mem_free(hooks);
}

/* There is no shell, but a script may hand it on to one, to a path or to another program. */
static bool is_fit(struct slice account)
{
	if (account.len == 0 || !text_is_alnum(account.data[0]) ||
		slice_find(account, '@') != slice_find_last(account, '@') ||
		slice_find(account, '@') < 1 || !text_is_printable(account))
		return false;
	for (size_t i = 0; i < account.len; i++) {
		char byte = account.data[i];

		if (!text_is_alnum(byte) && (unsigned char)byte < 0x80 &&
			strchr("@.+-_=", byte) == NULL)
			return false;
	}
	return true;
}

static void on_late(struct loop_timer *timer)
{
	struct hook *hook = timer->owner;

	log_error("hook_killed", LOG_STR("account", hook->account),
		LOG_STR("why", "it takes too long"));
	hook->is_late = true;
	program_kill(hook->pid);
}

static char *fill_in(const char *word, const struct hook *hook)
{
	struct buf filled;
	char *text = NULL;

	buf_init(&filled, WORD_MAX);
	if (config_hook_word(slice_str(word), slice_str(hook->account), slice_str(hook->reason),
		    &filled) == GP_OK)
		text = slice_dup(buf_slice(&filled));
	buf_fini(&filled);
	return text;
}

static enum gp_err start(struct hook *hook, const struct config *config)
{
	const struct config_strings *words = &config->sending_block_hook;
	char *argv[CONFIG_HOOK_WORDS + 1] = { NULL };
	enum gp_err err = words->count > 0 ? GP_OK : GP_ERR_NOT_FOUND;

	for (size_t i = 0; i < words->count && err == GP_OK; i++) {
		argv[i] = fill_in(words->items[i], hook);
		err = argv[i] != NULL ? GP_OK : GP_ERR_LIMIT;
	}
	if (err == GP_OK)
		err = program_start(argv, config->hook_user, &hook->pid);
	for (size_t i = 0; i < words->count; i++)
		mem_free(argv[i]);
	return err;
}

static void start_next(struct hooks *hooks)
{
	const struct config *config = hooks->parent->current->config;
	struct hook *hook;

	while (hooks->running_count < HOOK_RUNNING_MAX &&
		(hook = TAILQ_FIRST(&hooks->waiting)) != NULL) {
		enum gp_err err = start(hook, config);

		TAILQ_REMOVE(&hooks->waiting, hook, link);
		hooks->waiting_count--;
		if (err != GP_OK) {
			log_error("hook_not_run", LOG_STR("account", hook->account),
				LOG_STR("why", gp_err_text(err)));
			free_hook(hook);
			continue;
		}
		TAILQ_INSERT_TAIL(&hooks->running, hook, link);
		hooks->running_count++;
		log_info("hook_started", LOG_STR("account", hook->account),
			LOG_INT("pid", hook->pid));
		loop_timer_set(&hook->timer, (int64_t)config->sending_block_hook_time * 1000);
	}
}

static bool is_waiting(const struct hooks *hooks, struct slice account)
{
	const struct hook *hook;

	TAILQ_FOREACH (hook, &hooks->waiting, link) {
		if (slice_is(account, hook->account))
			return true;
	}
	return false;
}

void hooks_run(struct hooks *hooks, const struct ipc_hook *message)
{
	char reason[REASON_SIZE];
	struct hook *hook;

	text_escape(message->reason, reason, sizeof reason);
	if (!is_fit(message->account) || hooks->waiting_count >= HOOK_WAITING_MAX) {
		char shown[REASON_SIZE];

		text_escape(message->account, shown, sizeof shown);
		log_error("hook_not_run", LOG_STR("account", shown),
			LOG_STR("why", is_fit(message->account) ? "too many wait"
								: "no address for a program"));
		return;
	}
	if (is_waiting(hooks, message->account))
		return;
	hook = mem_new(1, sizeof *hook);
	hook->hooks = hooks;
	hook->account = slice_dup(message->account);
	hook->reason = mem_strdup(reason);
	loop_timer_init(hooks->parent->loop, &hook->timer, on_late, hook);
	TAILQ_INSERT_TAIL(&hooks->waiting, hook, link);
	hooks->waiting_count++;
	start_next(hooks);
}

static void log_exit(const struct hook *hook, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info("hook_ended", LOG_STR("account", hook->account));
	else if (WIFEXITED(status))
		log_error("hook_failed", LOG_STR("account", hook->account),
			LOG_INT("exit", WEXITSTATUS(status)));
	else if (!hook->is_late)
		log_error("hook_failed", LOG_STR("account", hook->account),
			LOG_STR("signal", strsignal(WTERMSIG(status))));
}

bool hooks_on_exit(struct hooks *hooks, pid_t pid, int status)
{
	struct hook *hook;

	TAILQ_FOREACH (hook, &hooks->running, link) {
		if (hook->pid == pid)
			break;
	}
	if (hook == NULL)
		return false;
	log_exit(hook, status);
	TAILQ_REMOVE(&hooks->running, hook, link);
	hooks->running_count--;
	free_hook(hook);
	if (!hooks->parent->is_stopping)
		start_next(hooks);
	return true;
}

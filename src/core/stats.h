/* SPDX-License-Identifier: ISC */
/*
 * What core has counted since it started; `gatepost stats` shows it under these names. Names are
 * part of the script contract. STATS_LIST: counters that only grow.
 */
#ifndef GP_CORE_STATS_H
#define GP_CORE_STATS_H

#include <stdint.h>

#define STATS_LIST(X)                                                                          \
	X(guesses_checked)   /* wrong secrets really compared; a repeat that is not counted is \
				the same secret again */                                       \
	X(guesses_repeated)  /* such repeats (autoban_count = distinct) */                     \
	X(guesses_unchecked) /* not compared, as the account had too many (account_guesses) */ \
	X(signins_ok)                                                                          \
	X(signins_failed)    /* answered "wrong name or password" */                           \
	X(signins_undone)    /* right, but the mail server did not open the mailbox */         \
	X(signins_waited)    /* had to wait for a place */                                     \
	X(signins_busy)      /* of them: in vain */                                            \
	X(signins_left)      /* the client was gone before the answer */                       \
	X(temporary_queue)   /* temporary failures: sign-in queue full */                      \
	X(temporary_vault)   /* vault gone or too slow */                                      \
	X(temporary_store)   /* store not available, or not loaded yet */                      \
	X(temporary_backend) /* no backend configured for the account */                       \
	X(temporary_core)    /* core's own limits */                                           \
	X(bans_set)                                                                            \
	X(bans_lifted) /* by hand */                                                           \
	X(bans_ended)                                                                          \
	X(refused_banned) /* connections and sign-ins refused because of a ban */              \
	X(sessions_total)                                                                      \
	X(sessions_closed) /* by core: ban, changed password, and so on */                     \
	X(messages_accepted)                                                                   \
	X(messages_refused)    /* by the next hop */                                           \
	X(recipients_accepted) /* of accepted messages */                                      \
	X(recipients_refused)  /* by the next hop, by themselves */                            \
	X(recipients_metered)  /* of them: sent by accounts, and counted against limits */     \
	X(sending_would_slow)  /* recipients that sending_mode = observe let pass */           \
	X(sending_would_ask)                                                                   \
	X(sending_would_block)                                                                 \
	X(sending_slowed)  /* recipients put off: not so fast */                               \
	X(sending_asked)   /* until the owner has answered */                                  \
	X(sending_blocked) /* recipients that accounts were blocked for */                     \
	X(sending_limited) /* recipients refused because of a limit */                         \
	X(sending_not_own) /* sender addresses that are not the account's */                   \
	X(sending_loads)   /* what a vault was asked for of accounts, domains, sources */      \
	X(sending_loads_failed)                                                                \
	X(profiles_kept) /* by a vault */                                                      \
	X(profiles_not_kept)                                                                   \
	X(rspamd_ok)             /* messages that rspamd gave a verdict on */                  \
	X(rspamd_failed)         /* it was not there, did not read, or spoke nonsense */       \
	X(rspamd_timeouts)       /* it took too long */                                        \
	X(filter_refused)        /* messages not delivered because of its verdict */           \
	X(mail_refused)          /* MAIL and RCPT: not signed in */                            \
	X(mail_blocked)          /* MAIL and RCPT: account blocked */                          \
	X(portal_sessions_total) /* people at the portal, from the right password on */        \
	X(portal_calls)          /* what browsers and hosting panels asked for */              \
	X(notes)                 /* oddities the fronts told of */                             \
	X(events_sent)                                                                         \
	X(events_dropped) /* one source told too much, or the vault took none */               \
	X(peers_cut)      /* channels closed because the peer broke the rules */

struct stats {
#define STATS_FIELD(name) uint64_t name;
	STATS_LIST(STATS_FIELD)
#undef STATS_FIELD
};

#endif

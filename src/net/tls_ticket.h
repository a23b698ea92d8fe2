/* SPDX-License-Identifier: ISC */
/*
 * Session tickets (RFC 5077, RFC 8446 section 4.6.1) under keys that change: OpenSSL keeps one key
 * for the life of a context, and who gets hold of that one reads every TLS 1.2 session resumed
 * meanwhile.
 */
#ifndef GP_NET_TLS_TICKET_H
#define GP_NET_TLS_TICKET_H

enum {
	TLS_TICKET_KEY_MS = 6 * 60 * 60 * 1000, /* a key makes tickets this long, and opens them
						   as long again */
};

struct ssl_ctx_st;

/* Lets the server context use them; all contexts of the process share them. */
void tls_ticket_setup(struct ssl_ctx_st *ssl_ctx);

#endif

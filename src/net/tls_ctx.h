/* SPDX-License-Identifier: ISC */
/*
 * TLS settings: certificates by SNI name for servers, trust for clients. Built in the parent's
 * bytes (PEM arrives by IPC), no file access here. Reference counted by OpenSSL itself: a context
 * may be freed while connections made from it live on.
 */
#ifndef GP_NET_TLS_CTX_H
#define GP_NET_TLS_CTX_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

struct tls_ctx;

/* TLS 1.2 and 1.3, server preference, session tickets (of TLS 1.3 only with an RSA key, whose
 * signature they save), no renegotiation, no compression. */
struct tls_ctx *tls_ctx_new_server(void);
/* trust: PEM of CA certificates; empty: the peer's certificate is not checked. */
enum gp_err tls_ctx_new_client(
	struct slice trust, struct tls_ctx **ret_ctx, struct gp_why *why) GP_CHECKED;
void tls_ctx_free(struct tls_ctx **pctx);

/*
 * Adds a certificate for a name ("mail.example.test", "*.example.test"); the first added also
 * serves clients without SNI or with an unknown name. chain: PEM, leaf first. key: PEM, wiped by
 * the caller. GP_ERR_CONFIG with why if they do not parse or do not belong together.
 */
enum gp_err tls_ctx_add(struct tls_ctx *ctx, const char *name, struct slice chain, struct slice key,
	struct gp_why *why) GP_CHECKED;

/* For tls_stream.c: OpenSSL's SSL_CTX, borrowed. */
struct ssl_ctx_st *tls_ctx_get_ssl_ctx(const struct tls_ctx *ctx);

#endif

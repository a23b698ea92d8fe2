/* SPDX-License-Identifier: ISC */
/*
 * The PROXY protocol header, versions 1 and 2 (HAProxy's proxy-protocol.txt): read at accept()
 * where the listener requires one, written towards a backend that wants to know the client's
 * address.
 */
#ifndef GP_PROTO_HAPROXY_H
#define GP_PROTO_HAPROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/slice.h"

enum {
	HAPROXY_V1_MAX = 107,  /* bytes with CRLF */
	HAPROXY_V2_MAX = 1024, /* bytes with TLVs; longer is refused */
};

enum haproxy_result {
	HAPROXY_MORE, /* a header begins well, more bytes are needed */
	HAPROXY_DONE,
	HAPROXY_BAD, /* close without a word */
};

struct haproxy_header {
	bool is_local; /* LOCAL or UNKNOWN: the connection's own addresses hold */
	struct ip client;
	uint16_t client_port;
	struct ip local;
	uint16_t local_port;
};

/* ret_used: bytes of the header, on HAPROXY_DONE. */
enum haproxy_result haproxy_parse(
	struct slice bytes, struct haproxy_header *ret_header, size_t *ret_used);
/* Appends a version 2 header (TCP4 or TCP6; LOCAL if the families differ or are none). */
enum gp_err haproxy_append(struct buf *out, const struct haproxy_header *header) GP_CHECKED;

#endif

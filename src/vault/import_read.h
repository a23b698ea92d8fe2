/* SPDX-License-Identifier: ISC */
/*
 * Lines of an account file, one record at a time, in bounded memory.
 *
 *	csv	RFC 4180 with a header line that names the columns: address, password or hash, role,
 *		aliases (separated by ';'), route; the address is required
 *	passwd	Dovecot's passwd-file: user:{SCHEME}hash:..., '#' begins a comment line
 */
#ifndef GP_VAULT_IMPORT_READ_H
#define GP_VAULT_IMPORT_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	IMPORT_RECORD_MAX = 16 * 1024, /* bytes of one record */
	IMPORT_READ_SIZE = 64 * 1024,
	IMPORT_COLUMNS_MAX = 16,
};

enum import_format {
	IMPORT_FORMAT_AUTO, /* csv if the first line has a column "address" */
	IMPORT_FORMAT_CSV,
	IMPORT_FORMAT_PASSWD,
};

enum import_column {
	IMPORT_ADDRESS,
	IMPORT_PASSWORD,
	IMPORT_HASH,
	IMPORT_ROLE,
	IMPORT_ALIASES,
	IMPORT_ROUTE,
	IMPORT_COLUMN_MAX
};

struct import_reader {
	int fd; /* a regular file; read by pread(2), so its offset is nobody's concern */
	uint64_t offset;
	uint64_t line; /* of what comes next, from 1 */
	struct buf input;
	struct buf fields; /* the record without its quotes */
	enum import_format format;
	unsigned char columns[IMPORT_COLUMNS_MAX]; /* csv: enum import_column of each */
	size_t column_count;
	bool is_at_end;
};

/* What stood in one record; slices are good until the next one. Absent columns are empty. */
struct import_record {
	uint64_t line;
	struct slice column[IMPORT_COLUMN_MAX];
};

/* fd stays the caller's. Reads the header, if there is one: GP_ERR_SYNTAX with why if it is none.
 */
enum gp_err import_reader_init(struct import_reader *reader, int fd, enum import_format format,
	struct gp_why *why) GP_CHECKED;
void import_reader_fini(struct import_reader *reader);

/*
 * The next record; empty lines and comments are skipped. GP_ERR_CLOSED: that was all. GP_ERR_IO:
 * the file cannot be read. GP_ERR_SYNTAX: this record is none, with why and ret_record->line; go
 * on.
 */
enum gp_err import_reader_next(struct import_reader *reader, struct import_record *ret_record,
	struct gp_why *why) GP_CHECKED;
/* Bytes of the file that are done. */
uint64_t import_reader_done(const struct import_reader *reader);

#endif

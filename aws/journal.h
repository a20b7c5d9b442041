/* journal.h: what of an upload is done, in a file that outlives us. One line is appended
 * for each thing that AWS has acknowledged, so that whoever goes on sends none of it
 * again; a line that was cut off counts as not written. */
#ifndef ELFPACK_AWS_JOURNAL_H
#define ELFPACK_AWS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/diag.h"

#define SNAPSHOT_ROOM 32u

struct journal {
	const char *path;
	int fd; /* -1: not kept */
	uint64_t block_count;
	uint8_t *sent;       /* a byte a block */
	unsigned generation; /* of the snapshot: one more for each that came to nothing */
	char snapshot[SNAPSHOT_ROOM]; /* "": none is begun */
	bool sealed;                  /* CompleteSnapshot was acknowledged */
};

/* Opens or makes the file, for this process alone. key: one line that says whose journal
 * it is; one of another key is refused. */
int journal_open(struct journal *journal, const char *path, const char *key,
		 uint64_t block_count, struct diag *why);
int journal_snapshot(struct journal *journal, const char *id, struct diag *why);
int journal_sent(struct journal *journal, uint64_t block, struct diag *why);
int journal_sealed(struct journal *journal, struct diag *why);
/* The snapshot came to nothing: begin again. */
int journal_again(struct journal *journal, struct diag *why);
void journal_remove(struct journal *journal);
void journal_close(struct journal *journal);

/* Pure: reads a journal's text. 0, or -1: it is another's or none. *size: of its whole
 * lines. */
int journal_parse(struct journal *journal, const char *key, const char *text,
		  size_t *size);

#endif

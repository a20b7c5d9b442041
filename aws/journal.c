/* journal.c: the file of an upload that goes on. It is not synced: a block that a power
 * cut takes out of it is sent again, which does no harm. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/journal.h"

#define HEADING  "elfpack publish 1 "
#define LINE_MAX 512u

static void forget(struct journal *journal, unsigned generation)
{
	journal->generation = generation;
	journal->snapshot[0] = '\0';
	journal->sealed = false;
	if (journal->block_count)
		memset(journal->sent, 0, journal->block_count);
}

static int take_line(struct journal *journal, const char *line)
{
	char id[SNAPSHOT_ROOM], rest;
	uint64_t block;
	unsigned generation;
	if (sscanf(line, "block %" SCNu64 "%c", &block, &rest) == 1 &&
	    block < journal->block_count)
		journal->sent[block] = 1;
	else if (sscanf(line, "snapshot %31[a-z0-9-]%c", id, &rest) == 1)
		memcpy(journal->snapshot, id, sizeof(id));
	else if (sscanf(line, "again %u%c", &generation, &rest) == 1)
		forget(journal, generation);
	else if (strcmp(line, "sealed") == 0)
		journal->sealed = true;
	else
		return -1;
	return 0;
}

int journal_parse(struct journal *journal, const char *key, const char *text,
		  size_t *size)
{
	char line[LINE_MAX], heading[LINE_MAX];
	size_t at = 0;
	snprintf(heading, sizeof(heading), HEADING "%s", key);
	forget(journal, 0);
	while (at < *size) {
		const char *end = memchr(text + at, '\n', *size - at);
		size_t length = end ? (size_t)(end - text) - at : LINE_MAX;
		if (!end)
			break;
		if (length >= sizeof(line))
			return -1;
		memcpy(line, text + at, length);
		line[length] = '\0';
		if (at ? take_line(journal, line) : strcmp(line, heading))
			return -1;
		at += length + 1;
	}
	*size = at;
	return 0;
}

/* One line whole or not at all: what a full disk took of it is cut off again. */
static int append(struct journal *journal, struct diag *why, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int append(struct journal *journal, struct diag *why, const char *format, ...)
{
	char line[LINE_MAX];
	va_list list;
	if (journal->fd < 0)
		return 0;
	va_start(list, format);
	int size = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	ssize_t done;
	while ((done = write(journal->fd, line, (size_t)size)) < 0 && errno == EINTR)
		;
	if (done == size)
		return 0;
	if (done >= 0) {
		off_t end = lseek(journal->fd, 0, SEEK_END);
		if (ftruncate(journal->fd, end - done))
			return diag_errno(why, "%s", journal->path);
		errno = ENOSPC;
	}
	diag_hint(why, "--journal FILE keeps it elsewhere");
	return diag_errno(why, "the journal %s", journal->path);
}

static int read_file(struct journal *journal, const char *key, struct diag *why)
{
	struct stat st;
	if (fstat(journal->fd, &st))
		return diag_errno(why, "the journal %s", journal->path);
	size_t size = (size_t)st.st_size;
	char *text = malloc(size + 1);
	ssize_t got = text ? pread(journal->fd, text, size, 0) : -1;
	int rc = 0;
	if (got < 0 || (size_t)got != size)
		rc = diag_errno(why, "the journal %s", journal->path);
	else if (journal_parse(journal, key, text, &size)) {
		rc = diag_set(why, "%s: not the journal of this image and these options",
			      journal->path);
		diag_hint(why,
			  "it may name a snapshot that is half made; remove it, or say "
			  "--journal FILE");
	} else if ((off_t)size != st.st_size && ftruncate(journal->fd, (off_t)size)) {
		rc = diag_errno(why, "the journal %s", journal->path);
	}
	free(text);
	return rc || size ? rc : append(journal, why, HEADING "%s\n", key);
}

int journal_open(struct journal *journal, const char *path, const char *key,
		 uint64_t block_count, struct diag *why)
{
	*journal = (struct journal){.path = path,
				    .fd = -1,
				    .block_count = block_count,
				    .sent = calloc(block_count + 1, 1)};
	if (!journal->sent)
		return diag_set(why, "out of memory");
	if (!path)
		return 0;
	journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (journal->fd < 0) {
		diag_hint(why, "--journal FILE keeps it elsewhere");
		return diag_errno(why, "the journal %s", path);
	}
	if (flock(journal->fd, LOCK_EX | LOCK_NB)) {
		close(journal->fd);
		journal->fd = -1; /* another's: not to be removed */
		return diag_set(why, "%s: in use: this image is being published already",
				path);
	}
	return read_file(journal, key, why);
}

int journal_snapshot(struct journal *journal, const char *id, struct diag *why)
{
	snprintf(journal->snapshot, sizeof(journal->snapshot), "%s", id);
	return append(journal, why, "snapshot %s\n", id);
}

int journal_sent(struct journal *journal, uint64_t block, struct diag *why)
{
	journal->sent[block] = 1;
	return append(journal, why, "block %" PRIu64 "\n", block);
}

int journal_sealed(struct journal *journal, struct diag *why)
{
	journal->sealed = true;
	return append(journal, why, "sealed\n");
}

int journal_again(struct journal *journal, struct diag *why)
{
	forget(journal, journal->generation + 1);
	return append(journal, why, "again %u\n", journal->generation);
}

void journal_remove(struct journal *journal)
{
	if (journal->fd >= 0)
		unlink(journal->path);
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->sent);
	journal->fd = -1;
	journal->sent = NULL;
}

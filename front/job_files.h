/* job_files.h: files into a job before it runs, and out of it afterwards. */
#ifndef ELFPACK_FRONT_JOB_FILES_H
#define ELFPACK_FRONT_JOB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/chain.h"
#include "front/sandbox.h"
#include "front/upload.h"

struct output_file {
	struct output_file *next;
	struct chain bytes;
	unsigned mode;
	bool left_out; /* of a container that has no place for it */
	size_t name_size;
	char name[]; /* relative to the working directory */
};

struct outputs {
	struct output_file *first, *last;
	size_t count;
	uint64_t bytes;
	const char *unmatched; /* the first glob that matched nothing, or NULL */
	struct chain there;    /* then: names of the files there were, some of them */
};

/* Makes the file cwd/name with these bytes. Returns 0 or -errno. */
int job_put_file(const struct sandbox_ops *sandbox, int job, const char *cwd,
		 const char *name, const struct chain *bytes);

/* The same for what a body brought: a file with its mode, or a folder. */
int job_put_upload(const struct sandbox_ops *sandbox, int job, const char *cwd,
		   const struct upload_file *file);

/* Opens cwd/name for reading. Returns a descriptor or -errno. */
int job_open_file(const struct sandbox_ops *sandbox, int job, const char *cwd,
		  const char *name);

/* Reads the files that the globs name, up to bytes_max in all: beyond it -EFBIG, and so
 * where there are too many files to look at, or to hold. */
int job_collect(const struct sandbox_ops *sandbox, int job, const char *cwd,
		char *const *globs, size_t glob_count, uint64_t bytes_max,
		struct outputs *outputs);

void outputs_free(struct outputs *outputs);

#endif

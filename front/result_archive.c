/* result_archive.c: a run as a tar or zip: its files, and
 * .elfpack/{stdout,stderr,meta.json}. */
#include <errno.h>
#include <string.h>

#include "front/archive.h"
#include "front/block.h"
#include "front/result.h"

#define OWN_COUNT 3u

int result_archive(struct chain *body, const struct conn *conn,
		   const struct job_report *report, struct chain *out, struct chain *err,
		   struct outputs *outputs)
{
	struct chain meta = {0};
	const struct archive_member own[OWN_COUNT] = {
		{".elfpack/stdout", out, 0644},
		{".elfpack/stderr", err, 0644},
		{".elfpack/meta.json", &meta, 0644},
	};
	size_t count = 0, room = 0;
	struct archive_member *members =
		block_get((outputs->count + OWN_COUNT) * sizeof(*members), &room);
	if (!members)
		return -ENOMEM;
	for (struct output_file *f = outputs->first; f; f = f->next) {
		for (size_t i = 0; i < OWN_COUNT; i++)
			f->left_out |= strcmp(f->name, own[i].name) == 0;
		if (!f->left_out)
			members[count++] =
				(struct archive_member){f->name, &f->bytes, f->mode};
	}
	memcpy(members + count, own, sizeof(own));
	int rc = result_json(&meta, conn, report, out, err, outputs, false);
	if (!rc)
		rc = archive_pack(body,
				  conn->request->format == FORMAT_TAR ? ARCHIVE_TAR
								      : ARCHIVE_ZIP,
				  members, count + OWN_COUNT);
	chain_free(&meta);
	block_put(members, room);
	return rc;
}

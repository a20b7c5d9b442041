/* result_multipart.c: a run as parts: meta (the JSON result without its data), stdout,
 * stderr and each file. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "front/result.h"
#include "front/text.h"

#define BOUNDARY_RANDOM_BYTES 16u

/* Nothing that a program writes can be made to contain it: it is chosen afterwards. */
static int make_boundary(char boundary[RESULT_BOUNDARY_ROOM])
{
	uint64_t random[BOUNDARY_RANDOM_BYTES / sizeof(uint64_t)];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	struct text text = text_over(boundary, RESULT_BOUNDARY_ROOM - 1);
	text_put(&text, "elfpack-");
	text_hex64(&text, random[0]);
	text_hex64(&text, random[1]);
	boundary[text.used] = '\0';
	return 0;
}

/* A name inside quotes, as the HTML standard writes it: what would end it is %XX. */
static int append_name(struct chain *body, const char *name)
{
	static const char digits[] = "0123456789ABCDEF";
	int rc = 0;
	for (size_t plain = 0; *name && !rc; name += plain) {
		plain = 0;
		while ((unsigned char)name[plain] >= 0x20 && name[plain] != 0x7f &&
		       name[plain] != '"')
			plain++;
		rc = chain_append(body, name, plain);
		unsigned char byte = (unsigned char)name[plain];
		if (rc || !byte)
			continue;
		const char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
		rc = chain_append(body, escape, sizeof(escape));
		name++;
	}
	return rc;
}

/* The part's content is moved; filename may be NULL. */
static int append_part(struct chain *body, const char *boundary, const char *name,
		       const char *filename, const char *type, struct chain *content)
{
	const char *const before[] = {"--", boundary,
				      "\r\nContent-Disposition: form-data; name=\"", name,
				      "\""};
	const char *const after[] = {"\r\nContent-Type: ", type, "\r\n\r\n"};
	int rc = 0;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]) && !rc; i++)
		rc = chain_append_text(body, before[i]);
	if (!rc && filename) {
		rc = chain_append_text(body, "; filename=\"");
		rc = rc ? rc : append_name(body, filename);
		rc = rc ? rc : chain_append_text(body, "\"");
	}
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]) && !rc; i++)
		rc = chain_append_text(body, after[i]);
	if (rc)
		return rc;
	chain_move(body, content);
	return chain_append_text(body, "\r\n");
}

int result_multipart(struct chain *body, char boundary[RESULT_BOUNDARY_ROOM],
		     const struct conn *conn, const struct job_report *report,
		     struct chain *out, struct chain *err, struct outputs *outputs)
{
	static const char bytes[] = "application/octet-stream";
	struct chain meta = {0};
	int rc = make_boundary(boundary);
	rc = rc ? rc : result_json(&meta, conn, report, out, err, outputs, false);
	rc = rc ? rc
		: append_part(body, boundary, "meta", NULL, "application/json", &meta);
	rc = rc ? rc : append_part(body, boundary, "stdout", NULL, bytes, out);
	rc = rc ? rc : append_part(body, boundary, "stderr", NULL, bytes, err);
	for (struct output_file *f = outputs->first; f && !rc; f = f->next)
		rc = append_part(body, boundary, "file", f->name, bytes, &f->bytes);
	rc = rc ? rc : chain_append_text(body, "--");
	rc = rc ? rc : chain_append_text(body, boundary);
	rc = rc ? rc : chain_append_text(body, "--\r\n");
	chain_free(&meta);
	return rc;
}

/* upload.c: what a structured body brings. Pure but for its memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "front/block.h"
#include "front/names.h"
#include "front/upload.h"

struct joint {
	char *to;
	size_t used;
};

static int join_piece(void *context, const char *bytes, size_t size)
{
	struct joint *joint = context;
	memcpy(joint->to + joint->used, bytes, size);
	joint->used += size;
	return 0;
}

int upload_take(struct upload *upload, struct chain *body)
{
	upload->text = block_get(body->bytes + 1, &upload->text_room);
	if (!upload->text)
		return -ENOMEM;
	struct joint joint = {.to = upload->text};
	chain_each(body, join_piece, &joint);
	upload->text_size = joint.used;
	upload->text[joint.used] = '\0';
	chain_free(body);
	return 0;
}

int upload_refuse(struct upload *upload, int status, const char *why, const char *about)
{
	upload->why = why;
	upload->about = about;
	return -status;
}

/* Makes room for one more element. Returns the array, or NULL. */
static void *grow(void *array, size_t count, size_t *room, size_t element)
{
	if (count < *room)
		return array;
	size_t more = *room ? *room * 2 : 16;
	void *bigger = realloc(array, more * element);
	if (bigger)
		*room = more;
	return bigger;
}

/* Makes room for a file of this name, which must be a new one. */
static int add_entry(struct upload *upload, const char *name, size_t name_size,
		     const struct limits *limits, struct upload_file **file)
{
	const char *wrong = name_refused(name, name_size, limits->path_depth);
	if (wrong)
		return upload_refuse(upload, 400, wrong, name);
	for (size_t i = 0; i < upload->file_count; i++)
		if (strcmp(upload->files[i].name, name) == 0)
			return upload_refuse(upload, 400, "two files of the same name",
					     name);
	if (upload->file_count >= limits->files_in)
		return upload_refuse(upload, 413, "too many files", NULL);
	struct upload_file *files = grow(upload->files, upload->file_count,
					 &upload->file_room, sizeof(*files));
	if (!files)
		return upload_refuse(upload, 503, "out of memory", NULL);
	upload->files = files;
	*file = &files[upload->file_count++];
	**file = (struct upload_file){.name = name, .mode = 0644};
	return 0;
}

int upload_add_file(struct upload *upload, const char *name, size_t name_size,
		    const char *bytes, size_t size, const struct limits *limits)
{
	struct upload_file *file = NULL;
	if (size > limits->unpacked_bytes - upload->file_bytes)
		return upload_refuse(upload, 413, "the files are too long", NULL);
	int rc = add_entry(upload, name, name_size, limits, &file);
	if (rc)
		return rc;
	file->bytes = bytes;
	file->size = size;
	upload->file_bytes += size;
	return 0;
}

int upload_add_unpacked(struct upload *upload, const char *name, size_t name_size,
			unsigned mode, bool folder, const struct limits *limits,
			struct upload_file **file)
{
	*file = NULL;
	for (size_t i = 0; i < upload->file_count && folder; i++)
		if (upload->files[i].folder && strcmp(upload->files[i].name, name) == 0)
			return 0;
	int rc = add_entry(upload, name, name_size, limits, file);
	if (rc)
		return rc;
	(*file)->mode = (mode & 0777) | 0600;
	(*file)->folder = folder;
	(*file)->own_name = strndup(name, name_size);
	(*file)->name = (*file)->own_name ? (*file)->own_name : "";
	return (*file)->own_name ? 0 : upload_refuse(upload, 503, "out of memory", NULL);
}

int upload_add_string(struct upload *upload, struct upload_list *list, char *string,
		      size_t size, const struct limits *limits)
{
	if (list->count >= limits->args)
		return upload_refuse(upload, 413,
				     "too many arguments, variables or outputs", NULL);
	if (memchr(string, '\0', size))
		return upload_refuse(upload, 400, "a NUL where there must be none", NULL);
	char **items = grow(list->items, list->count, &list->room, sizeof(*items));
	if (!items)
		return upload_refuse(upload, 503, "out of memory", NULL);
	list->items = items;
	items[list->count++] = string;
	return 0;
}

void upload_free(struct upload *upload)
{
	block_put(upload->text, upload->text_room);
	for (size_t i = 0; i < upload->file_count; i++) {
		chain_free(&upload->files[i].unpacked);
		free(upload->files[i].own_name);
	}
	free(upload->files);
	free(upload->args.items);
	free(upload->envs.items);
	free(upload->outs.items);
	*upload = (struct upload){0};
}

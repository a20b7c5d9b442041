/* request_body.c: what a structured body adds to its request, and what the image adds to
 * both. */
#include <string.h>

#include "front/archive.h"
#include "front/argv_template.h"
#include "front/block.h"
#include "front/envelope.h"
#include "front/request_map.h"

static size_t list_size(char *const *list)
{
	size_t count = 0;
	while (list[count])
		count++;
	return count;
}

static int check_args(struct request *request, const struct limits *limits)
{
	const struct upload_list *args = &request->upload.args;
	uint64_t bytes = request->query.arg_bytes;
	for (size_t i = 0; i < args->count; i++)
		bytes += strlen(args->items[i]) + 1;
	if (request->query.arg_count + args->count > limits->args ||
	    bytes > limits->args_bytes)
		return request_refuse(request, 413, "too many arguments", NULL);
	return 0;
}

/* _stdin=NAME: a file of the form is standard input too. */
static int find_stdin(struct request *request)
{
	struct upload *upload = &request->upload;
	const char *name = request->query.stdin_name;
	if (!name)
		return 0;
	if (upload->stdin_bytes)
		return request_refuse(request, 400, "_stdin beside a part stdin", NULL);
	for (size_t i = 0; i < upload->file_count; i++) {
		if (strcmp(upload->files[i].name, name) != 0 || upload->files[i].folder)
			continue;
		upload->stdin_file = &upload->files[i];
		return 0;
	}
	return request_refuse(request, 400, "_stdin names no uploaded file", name);
}

/* Joins the upload's arguments, variables and outputs to those of the query. */
static int join_lists(struct request *request, const struct image *image)
{
	const struct upload *upload = &request->upload;
	size_t argc = list_size(request->argv), envc = list_size(request->envp);
	size_t pointers = argc + upload->args.count + 1 + envc + upload->envs.count + 1 +
			  request->out_count + upload->outs.count;
	char **argv = block_get(pointers * sizeof(char *), &request->lists_room);
	if (!argv)
		return request_refuse(request, 503, "out of memory", NULL);
	char **envp = argv + argc + upload->args.count + 1;
	char **outs = envp + envc + upload->envs.count + 1;
	request->lists = argv;
	memcpy(argv, request->argv, argc * sizeof(char *));
	if (upload->args.count)
		memcpy(argv + argc, upload->args.items,
		       upload->args.count * sizeof(char *));
	argv[argc + upload->args.count] = NULL;
	memcpy(envp, request->envp, envc * sizeof(char *));
	if (request->out_count)
		memcpy(outs, request->outs, request->out_count * sizeof(char *));
	if (upload->outs.count)
		memcpy(outs + request->out_count, upload->outs.items,
		       upload->outs.count * sizeof(char *));
	request->argv = argv;
	request->envp = envp;
	request->outs = outs;
	request->out_count += upload->outs.count;
	return request_set_env(request, image, envp, &envc, upload->envs.items,
			       upload->envs.count);
}

bool request_has_container(const struct request *request)
{
	return request->envelope || request->container > BODY_RAW;
}

static int read_container(struct request *request, const struct limits *limits)
{
	struct upload *upload = &request->upload;
	switch (request->container) {
	case BODY_FORM:
		return form_read(upload, &request->query, request->boundary, limits);
	case BODY_TAR:
		return archive_unpack(upload, ARCHIVE_TAR, limits);
	case BODY_ZIP:
		return archive_unpack(upload, ARCHIVE_ZIP, limits);
	case BODY_BY_TYPE:
	case BODY_RAW:
		break;
	}
	return envelope_read(upload, limits);
}

int request_take_body(struct request *request, const struct image *image,
		      struct chain *body)
{
	const struct limits *limits = &image->manifest.limits;
	struct upload *upload = &request->upload;
	if (upload_take(upload, body) < 0)
		return request_refuse(request, 503, "out of memory", NULL);
	int rc = read_container(request, limits);
	if (rc)
		return request_refuse(request, -rc, upload->why, upload->about);
	request_apply_controls(request, limits);
	rc = find_stdin(request);
	if (!rc)
		rc = check_args(request, limits);
	if (!rc)
		rc = request_check_policy(request, image, upload->args.items,
					  upload->args.count);
	if (!rc)
		rc = request_check_outs(request, upload->outs.items, upload->outs.count,
					limits);
	return rc ? rc : join_lists(request, image);
}

/* The request's argv by the template. */
static int shape_argv(struct request *request, const struct image *image)
{
	const struct upload *upload = &request->upload;
	size_t file_count = request->body_name ? 1 : upload->file_count;
	const struct argv_words base = {(const char *const *)image->args.items,
					image->args.count};
	const struct argv_words template = {(const char *const *)image->argv.items,
					    image->argv.count};
	const struct argv_words args = {(const char *const *)request->argv + base.count,
					list_size(request->argv) - base.count};
	const char **names = NULL;
	size_t names_room = 0, pointers = 0, bytes = 0;
	if (args.count && !argv_template_takes_args(&template))
		return 0;
	names = block_get((file_count + 1) * sizeof(*names), &names_room);
	if (!names)
		return request_refuse(request, 503, "out of memory", NULL);
	for (size_t i = 0; i < upload->file_count; i++)
		names[i] = upload->files[i].name;
	if (request->body_name)
		names[0] = request->body_name;
	const struct argv_words files = {names, file_count};
	argv_template_room(&template, &files, &args, &pointers, &bytes);
	pointers += base.count;
	request->shaped =
		block_get(pointers * sizeof(char *) + bytes, &request->shaped_room);
	char **argv = request->shaped;
	if (argv) {
		argv_template_expand(argv, (char *)(argv + pointers), &base, &template,
				     &files, &args);
		request->argv = argv;
	}
	block_put(names, names_room);
	return argv ? 0 : request_refuse(request, 503, "out of memory", NULL);
}

int request_finish(struct request *request, const struct image *image)
{
	int rc = image->argv.count ? shape_argv(request, image) : 0;
	/* A request that has an argv of its own has outputs of its own, too. */
	bool usual = request->shaped || !image->argv.count;
	if (!rc && usual && !request->out_count && request->format != FORMAT_STREAM) {
		request->outs = image->out.items;
		request->out_count = image->out.count;
	}
	return rc;
}

/* request.c: what a request asks for. Its route (request_route.c), controls and policy
 * are checked before a body is read. */
#include <stdalign.h>
#include <string.h>

#include "front/block.h"
#include "front/names.h"
#include "front/request_map.h"
#include "front/text.h"

/* Where the pieces of a request go in its block. */
struct layout {
	struct request *request;
	char *path, *text;
	char **slots, **argv, **envp;
};

int request_refuse(struct request *request, int status, const char *why,
		   const char *about)
{
	request->refusal.status = status;
	request->refusal.why = why;
	struct text text =
		text_over(request->refusal.about, sizeof(request->refusal.about) - 1);
	if (about)
		text_bytes(&text, about, strnlen(about, text.room));
	request->refusal.about[text.used] = '\0';
	return -status;
}

bool request_has_body(const struct http_head *head)
{
	return head->chunked ||
	       (head->content_length != HTTP_LENGTH_ABSENT && head->content_length > 0);
}

static void take_id(struct request *request, const char *sent, size_t size,
		    const char *made_id)
{
	bool usable = size > 0 && size <= REQUEST_ID_MAX;
	for (size_t i = 0; i < size && usable; i++)
		usable = (sent[i] >= 'a' && sent[i] <= 'z') ||
			 (sent[i] >= 'A' && sent[i] <= 'Z') ||
			 (sent[i] >= '0' && sent[i] <= '9') || sent[i] == '.' ||
			 sent[i] == '_' || sent[i] == '-';
	struct text text = text_over(request->id, REQUEST_ID_MAX);
	if (usable)
		text_bytes(&text, sent, size);
	else
		text_put(&text, made_id);
	request->id[text.used] = '\0';
}

/* What the controls say about the result and the time for it. */
void request_apply_controls(struct request *request, const struct limits *limits)
{
	request->format = request->query.format;
	if (request->format == FORMAT_DEFAULT)
		request->format = request->accept_json || request->envelope ? FORMAT_JSON
				  : request->accept_form || request->accept_mixed
					  ? FORMAT_MULTIPART
					  : FORMAT_RAW;
	request->mixed = request->accept_mixed && !request->accept_form;
	request->wall_ms = limits->wall_ms;
	if (request->query.timeout_ms && request->query.timeout_ms < limits->wall_ms)
		request->wall_ms = request->query.timeout_ms;
}

/* A Content-Type without its parameters. */
static struct span type_of(const struct http_head *head, const char *bytes)
{
	struct span type = head->field[FIELD_CONTENT_TYPE];
	const char *mark = memchr(bytes + type.at, ';', type.size);
	if (mark)
		type.size = (uint32_t)(mark - (bytes + type.at));
	while (type.size && (bytes[type.at + type.size - 1] == ' ' ||
			     bytes[type.at + type.size - 1] == '\t'))
		type.size--;
	return type;
}

/* The name under which the body is stored, if it has one. */
static int name_body(struct request *request, char *path, size_t path_size, size_t depth)
{
	const struct query *query = &request->query;
	const char *why = NULL;
	if (request->method == HTTP_PUT) {
		why = name_from_path(path, &path_size, depth);
		if (why)
			return request_refuse(request, 400, why, NULL);
		request->body_name = path;
		if (query->given & CONTROL_FILE)
			return request_refuse(request, 400,
					      "_file with PUT, whose path names the body",
					      NULL);
	}
	if (query->given & CONTROL_FILE) {
		why = name_refused(query->file, strlen(query->file), depth);
		if (why)
			return request_refuse(request, 400, why, query->file);
		request->body_name = query->file;
	}
	if (request->body_name && (query->given & CONTROL_IN))
		return request_refuse(request, 400, "_in for a body that has a name",
				      NULL);
	return 0;
}

static int check_envelope(struct request *request, const struct http_head *head,
			  const char *bytes, struct span type)
{
	if (request->query.given & (CONTROL_FILE | CONTROL_IN | CONTROL_STDIN))
		return request_refuse(request, 400,
				      "_file, _in or _stdin for an envelope", NULL);
	if (!text_is(bytes + type.at, type.size, "application/json"))
		return request_refuse(request, 415, "an envelope is application/json",
				      NULL);
	if (!request_has_body(head))
		return request_refuse(request, 400, "no envelope in the body", NULL);
	return 0;
}

/* Is the body a container? */
static int check_type(struct request *request, const struct http_head *head,
		      const char *bytes, struct span type)
{
	static const struct {
		const char *type;
		enum body_kind kind;
	} types[] = {{"multipart/form-data", BODY_FORM},
		     {"application/x-tar", BODY_TAR},
		     {"application/zip", BODY_ZIP}};
	const struct query *query = &request->query;
	struct span whole = head->field[FIELD_CONTENT_TYPE];
	bool by_type = !request->body_name && query->in == BODY_BY_TYPE;
	request->container = query->in == BODY_BY_TYPE ? BODY_RAW : query->in;
	for (size_t i = 0; by_type && i < sizeof(types) / sizeof(types[0]); i++)
		if (text_is(bytes + type.at, type.size, types[i].type))
			request->container = types[i].kind;
	if (!request_has_body(head))
		request->container = BODY_RAW;
	if (request->container == BODY_FORM &&
	    !form_boundary(request->boundary, bytes + whole.at, whole.size))
		return request_refuse(request, 400,
				      "a form without a valid boundary in its type",
				      NULL);
	if ((query->given & CONTROL_STDIN) && request->container == BODY_RAW)
		if (!request->body_name ||
		    strcmp(query->stdin_name, request->body_name) != 0)
			return request_refuse(request, 400,
					      "_stdin names no uploaded file",
					      query->stdin_name);
	return 0;
}

/* Which file the body becomes, or how it is read. */
static int place_body(struct request *request, const struct http_head *head,
		      const char *bytes, char *path, size_t path_size, size_t depth)
{
	struct span coding = head->field[FIELD_CONTENT_ENCODING];
	struct span type = type_of(head, bytes);
	int rc = name_body(request, path, path_size, depth);
	if (rc)
		return rc;
	request->gzip = text_is(bytes + coding.at, coding.size, "gzip") ||
			text_is(bytes + coding.at, coding.size, "x-gzip");
	if (coding.size && !request->gzip &&
	    !text_is(bytes + coding.at, coding.size, "identity"))
		return request_refuse(request, 415,
				      "a content coding that is not supported", NULL);
	return request->envelope ? check_envelope(request, head, bytes, type)
				 : check_type(request, head, bytes, type);
}

static size_t env_name_size(const char *entry)
{
	const char *equals = strchr(entry, '=');
	return equals ? (size_t)(equals - entry) : strlen(entry);
}

static bool same_env_name(const char *a, const char *b)
{
	size_t size = env_name_size(a);
	return size == env_name_size(b) && memcmp(a, b, size) == 0;
}

/* Sets variables in an environment of *count entries, each replaced where it is there. */
int request_set_env(struct request *request, const struct image *image, char **envp,
		    size_t *count, char *const *entries, size_t entry_count)
{
	for (size_t i = 0; i < entry_count; i++) {
		char *entry = entries[i];
		bool allowed = false;
		size_t at = 0;
		for (size_t k = 0; k < image->allow_env.count && !allowed; k++)
			allowed = same_env_name(image->allow_env.items[k], entry);
		if (!allowed)
			return request_refuse(request, 403,
					      "an environment variable that this image "
					      "does not let requests set",
					      entry);
		while (at < *count && !same_env_name(envp[at], entry))
			at++;
		envp[at] = entry;
		*count += at == *count;
	}
	envp[*count] = NULL;
	return 0;
}

static int map_env(struct request *request, const struct image *image, char **envp)
{
	static char *no_env[] = {NULL};
	const struct query *query = &request->query;
	size_t count = image->env.count;
	request->envp = count ? image->env.items : no_env;
	if (!query->env_count)
		return 0;
	memcpy(envp, image->env.items, count * sizeof(char *));
	request->envp = envp;
	return request_set_env(request, image, envp, &count, query->envs,
			       query->env_count);
}

int request_check_outs(struct request *request, char *const *outs, size_t count,
		       const struct limits *limits)
{
	if (request->out_count + count > limits->args)
		return request_refuse(request, 413, "too many outputs", NULL);
	if (count && request->format == FORMAT_STREAM)
		return request_refuse(request, 400,
				      "_out with a stream, which has no files", outs[0]);
	for (size_t i = 0; i < count; i++) {
		const char *why =
			name_refused(outs[i], strlen(outs[i]), limits->path_depth);
		if (why)
			return request_refuse(request, 400, why, outs[i]);
	}
	return 0;
}

int request_check_policy(struct request *request, const struct image *image,
			 char *const *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!image_allows_arg(image, args[i]))
			return request_refuse(request, 403,
					      "an argument that this image does not let "
					      "requests give",
					      args[i]);
	return 0;
}

static int map_job(struct layout *layout, const struct http_head *head, const char *bytes,
		   const struct image *image)
{
	struct request *request = layout->request;
	const struct limits *limits = &image->manifest.limits;
	struct query_limits query_limits = {limits->args, limits->args_bytes};
	int rc = query_parse(&request->query, layout->text, head->query.size,
			     layout->slots, &query_limits);
	if (rc)
		return request_refuse(request, -rc, request->query.why,
				      request->query.about);
	rc = request_check_policy(request, image, request->query.args,
				  request->query.arg_count);
	if (rc)
		return rc;
	request->accept_json = head->accept_json;
	request->accept_form = head->accept_form;
	request->accept_mixed = head->accept_mixed;
	request_apply_controls(request, limits);
	rc = request_check_outs(request, request->query.outs, request->query.out_count,
				limits);
	if (!rc)
		rc = place_body(request, head, bytes, layout->path,
				head->path.size ? head->path.size - 1 : 0,
				limits->path_depth);
	if (!rc)
		rc = map_env(request, image, layout->envp);
	if (rc)
		return rc;
	size_t count = 0;
	for (size_t i = 0; i < image->args.count; i++)
		layout->argv[count++] = image->args.items[i];
	memcpy(layout->argv + count, request->query.args,
	       request->query.arg_count * sizeof(char *));
	layout->argv[count + request->query.arg_count] = NULL;
	request->argv = layout->argv;
	request->outs = request->query.outs;
	request->out_count = request->query.out_count;
	return 0;
}

static int check_length(struct request *request, const struct http_head *head,
			const struct limits *limits)
{
	if (!request_has_body(head))
		return 0;
	if (!(request->method & (HTTP_POST | HTTP_PUT)))
		return request_refuse(request, 400, "a body with a method that has none",
				      NULL);
	if (!head->chunked && head->content_length > limits->body_bytes)
		return request_refuse(request, 413, "the body is too long", NULL);
	return 0;
}

/* One block holds it all: the request, the pointers, then the strings. */
static bool lay_out(struct layout *layout, const struct http_head *head,
		    const char *bytes, const struct image *image, bool job)
{
	size_t tokens = job ? query_tokens(bytes + head->query.at, head->query.size) : 0;
	size_t pointers = job ? 3 * tokens + image->args.count + tokens + 1 +
					  image->env.count + tokens + 1
			      : 0;
	size_t strings = job ? (size_t)head->query.size + head->path.size + 2 : 0;
	size_t room = 0;
	char *block = block_get(
		sizeof(struct request) + pointers * sizeof(char *) + strings, &room);
	if (!block)
		return false;
	layout->request = (struct request *)(void *)block;
	*layout->request = (struct request){.room = room, .method = head->method};
	if (!job)
		return true;
	_Static_assert(sizeof(struct request) % alignof(char *) == 0,
		       "pointers follow it");
	layout->slots = (char **)(void *)(block + sizeof(struct request));
	layout->argv = layout->slots + 3 * tokens;
	layout->envp = layout->argv + image->args.count + tokens + 1;
	layout->text = (char *)(layout->envp + image->env.count + tokens + 1);
	layout->path = layout->text + head->query.size + 1;
	memcpy(layout->text, bytes + head->query.at, head->query.size);
	if (head->path.size)
		memcpy(layout->path, bytes + head->path.at + 1, head->path.size - 1);
	return true;
}

struct request *request_new(const struct http_head *head, const char *bytes,
			    const struct image *image, bool admin, const char *made_id)
{
	struct request probe = {.method = head->method};
	struct layout layout = {0};
	int rc = 0;
	if (head->asterisk) {
		probe.route = ROUTE_OPTIONS;
		probe.refusal.allow = "GET, HEAD, POST, PUT, OPTIONS";
	} else {
		rc = request_find_route(&probe, head, bytes + head->path.at,
					head->path.size, image, admin);
	}
	if (!rc)
		rc = check_length(&probe, head, &image->manifest.limits);
	if (!lay_out(&layout, head, bytes, image, !rc && probe.route == ROUTE_RUN))
		return NULL;
	struct request *request = layout.request;
	request->route = probe.route;
	request->envelope = probe.envelope;
	request->refusal = probe.refusal;
	if (!rc && request->route == ROUTE_RUN)
		map_job(&layout, head, bytes, image);
	struct span id = head->field[FIELD_X_REQUEST_ID];
	take_id(request, bytes + id.at, id.size, made_id);
	return request;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	upload_free(&request->upload);
	block_put(request->lists, request->lists_room);
	block_put(request->shaped, request->shaped_room);
	block_put(request, request->room);
}

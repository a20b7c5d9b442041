/* cmd_publish.c: an image into a cloud: publish aws. What is sent, and in which order, is
 * aws/publish.h's. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/publish.h"
#include "cli/command.h"
#include "cli/image.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "imgfmt/raw.h"

#define ACCOUNT_DIGITS 12u

enum publish_option {
	NAME = 1,
	REGION,
	PROFILE,
	TAG,
	PARENT,
	ENCRYPT,
	KMS_KEY,
	COPY_TO,
	SHARE,
	DRY_RUN,
	ENDPOINT_URL,
	JOURNAL,
	QUIET,
	JSON,
	HELP
};

static const struct option_row rows[] = {
	{"name", 'n', NAME, OPTION_NEEDED, "NAME",
	 "the AMI's name (as build -f ami gives it)"},
	{"region", 0, REGION, OPTION_NEEDED, "REGION",
	 "where (AWS_REGION, or the profile's region)"},
	{"profile", 0, PROFILE, OPTION_NEEDED, "NAME",
	 "take the credentials of a profile, not of the environment"},
	{"tag", 0, TAG, OPTION_NEEDED, "KEY=VALUE",
	 "tag the AMI and its snapshot (repeats)"},
	{"parent", 0, PARENT, OPTION_NEEDED, "SNAPSHOT",
	 "send only blocks that this snapshot has not"},
	{"encrypt", 0, ENCRYPT, OPTION_NONE, NULL, "encrypt the snapshot"},
	{"kms-key", 0, KMS_KEY, OPTION_NEEDED, "ARN", "with this key; implies --encrypt"},
	{"copy-to", 0, COPY_TO, OPTION_NEEDED, "REGION",
	 "copy the AMI there too (A,B; repeats)"},
	{"share", 0, SHARE, OPTION_NEEDED, "ACCOUNT",
	 "let an account start the AMI (A,B; repeats)"},
	{"dry-run", 0, DRY_RUN, OPTION_NONE, NULL, "print every request, send none"},
	{"endpoint-url", 0, ENDPOINT_URL, OPTION_NEEDED, "URL",
	 "of all services, not AWS's own"},
	{"journal", 0, JOURNAL, OPTION_NEEDED, "FILE",
	 "what an interrupted upload goes on by (IMAGE.REGION.journal)"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct publication {
	const char *cloud, *path;
	bool dry_run, quiet, json, help;
	char *owned[PUBLISH_TAGS_MAX + PUBLISH_REGIONS_MAX + PUBLISH_SHARES_MAX];
	size_t owned_count;
	struct image image;
	struct publish publish;
};

static volatile int caught; /* the signal */

static void on_signal(int number)
{
	caught = number;
	aws_interrupted = number;
}

/* A copy that lives as long as the command; NULL: no room. */
static char *own(struct publication *it, const char *text, size_t size)
{
	if (it->owned_count == sizeof(it->owned) / sizeof(it->owned[0]))
		return NULL;
	char *copy = strndup(text, size);
	if (copy)
		it->owned[it->owned_count++] = copy;
	return copy;
}

static int take_tag(struct publication *it, const char *value, struct diag *why)
{
	struct publish *publish = &it->publish;
	const char *equals = strchr(value, '=');
	size_t size = equals ? (size_t)(equals - value) : 0;
	if (!size || size > 127 || strlen(equals + 1) > 255)
		return diag_set(why, "--tag %s: is to be KEY=VALUE", value);
	if (strncmp(value, "aws:", 4) == 0 ||
	    (size == strlen(EC2_DIGEST_TAG) && strncmp(value, EC2_DIGEST_TAG, size) == 0))
		return diag_set(why, "--tag %s: the key is reserved", value);
	if (publish->tag_count == PUBLISH_TAGS_MAX)
		return diag_set(why, "--tag: more than %u", PUBLISH_TAGS_MAX);
	char *key = own(it, value, size);
	if (!key)
		return diag_set(why, "out of memory");
	for (size_t i = 0; i < publish->tag_count; i++)
		if (strcmp(publish->tags[i].key, key) == 0)
			return diag_set(why, "--tag %s: twice", key);
	publish->tags[publish->tag_count++] = (struct tag){key, equals + 1};
	return 0;
}

static bool is_account(const char *word)
{
	return strlen(word) == ACCOUNT_DIGITS &&
	       strspn(word, "0123456789") == ACCOUNT_DIGITS;
}

static bool is_region(const char *word)
{
	return strlen(word) < REGION_ROOM && word[0] &&
	       word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Words apart by commas. */
static int take_list(struct publication *it, const char *option, const char *value,
		     const char **list, size_t *count, size_t room,
		     bool (*fits)(const char *), struct diag *why)
{
	for (;;) {
		size_t size = strcspn(value, ",");
		char *word = *count < room ? own(it, value, size) : NULL;
		if (!word)
			return diag_set(why, "%s: more than %zu", option, room);
		if (!fits(word))
			return diag_set(why, "%s %s: not %s", option, word,
					fits == is_account ? "an account's 12 digits"
							   : "a region's name");
		bool known = false;
		for (size_t i = 0; i < *count; i++)
			known |= strcmp(list[i], word) == 0;
		if (!known)
			list[(*count)++] = word;
		if (!value[size])
			return 0;
		value += size + 1;
	}
}

static int take_word(struct publication *it, const char *value, struct diag *why)
{
	if (it->path)
		return diag_set(why, "%s: one word too many", value);
	*(it->cloud ? &it->path : &it->cloud) = value;
	return 0;
}

static int take(struct publication *it, int id, const char *value, struct diag *why)
{
	struct publish *publish = &it->publish;
	const char **texts[] = {
		[NAME] = &publish->name,       [REGION] = &publish->region,
		[PROFILE] = &publish->profile, [PARENT] = &publish->parent,
		[KMS_KEY] = &publish->kms_key, [ENDPOINT_URL] = &publish->endpoint,
		[JOURNAL] = &publish->journal, [HELP] = NULL};
	bool *flags[] = {[ENCRYPT] = &publish->encrypted,
			 [DRY_RUN] = &it->dry_run,
			 [QUIET] = &it->quiet,
			 [JSON] = &it->json,
			 [HELP] = &it->help};
	if (id == OPTION_WORD)
		return take_word(it, value, why);
	if (id == TAG)
		return take_tag(it, value, why);
	if (id == COPY_TO)
		return take_list(it, "--copy-to", value, publish->copy_to,
				 &publish->copy_count, PUBLISH_REGIONS_MAX, is_region,
				 why);
	if (id == SHARE)
		return take_list(it, "--share", value, publish->share,
				 &publish->share_count, PUBLISH_SHARES_MAX, is_account,
				 why);
	if (texts[id])
		*texts[id] = value;
	else
		*flags[id] = true;
	return 0;
}

/* What AWS would refuse after the upload is refused before it. */
static int check_arguments(struct publication *it, struct diag *why)
{
	struct publish *publish = &it->publish;
	const char *key = publish->kms_key;
	if (!it->cloud || strcmp(it->cloud, "aws") != 0)
		return it->cloud ? diag_set(why, "%s: unknown cloud; there is aws",
					    it->cloud)
				 : diag_set(why, "a cloud (aws) and an image are needed");
	if (!it->path)
		return diag_set(why, "an image is needed");
	publish->encrypted |= key != NULL;
	if (key && (strncmp(key, "arn:", 4) != 0 || !strstr(key, ":kms:")))
		return diag_set(why, "--kms-key %s: not a KMS key's ARN", key);
	if (key && publish->copy_count && !strstr(key, ":key/mrk-"))
		return diag_set(why,
				"--copy-to: %s is of one region; a multi-Region key is "
				"needed",
				key);
	if (publish->share_count && publish->encrypted && !key) {
		diag_hint(why, "say --kms-key ARN, of a key that the accounts may use");
		return diag_set(why,
				"--share: snapshots that are encrypted with AWS's own "
				"key cannot be shared");
	}
	if (publish->parent && strncmp(publish->parent, "snap-", 5) != 0)
		return diag_set(why, "--parent %s: not a snapshot's id", publish->parent);
	if (publish->name && !publish_name_fits(publish->name))
		return diag_set(why,
				"--name %s: is to have 3 to 128 letters, digits and "
				"()[] ./-'@_",
				publish->name);
	return 0;
}

static int read_arguments(struct publication *it, int argc, char **argv, struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (take(it, id, value, why))
			return -1;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (take_word(it, argv[reader.at], why))
			return -1;
	if (id != -1)
		return -1;
	return it->help ? 0 : check_arguments(it, why);
}

/* Is the file a disk's bytes, all as the builder wrote them? */
static int open_disk(struct publication *it, struct diag *why)
{
	struct image *image = &it->image;
	int status = image_open_stored(image, it->path, why);
	if (status)
		return status;
	if (image->view.is_bundle || image->view.bytes != image->file) {
		diag_hint(why, "elfpack convert %s NEW.ami -f ami", it->path);
		diag_set(why, "%s: is %s; AWS takes a disk's bytes", it->path,
			 image->format->name);
		return EXIT_UNSUITABLE;
	}
	return image_check_sections(image, why) ? EXIT_UNSUITABLE : EXIT_DONE;
}

static void say(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void show_text(const struct call *call, const char *body)
{
	printf("%s %s\n", call->method, call->url);
	for (size_t i = 0; i < call->header_count; i++)
		printf("%s: %s\n", call->headers[i].name, call->headers[i].value);
	if (call->unsigned_body)
		printf("\n[block %" PRIu64 " of the image: %zu bytes]\n", call->about,
		       call->body_size);
	else if (call->body_size)
		printf("\n%.*s\n", (int)call->body_size, body);
	printf("\n");
}

static void put(const char *before, const char *text)
{
	fputs(before, stdout);
	output_json(stdout, text, strlen(text));
}

static void show_json(const struct call *call, const char *body)
{
	put("{\"operation\":", call->operation);
	put(",\"method\":", call->method);
	put(",\"url\":", call->url);
	printf(",\"headers\":{");
	for (size_t i = 0; i < call->header_count; i++) {
		put(i ? "," : "", call->headers[i].name);
		put(":", call->headers[i].value);
	}
	printf("}");
	if (call->unsigned_body)
		printf(",\"block\":%" PRIu64, call->about);
	else if (call->body_size) {
		printf(",\"body\":");
		output_json(stdout, body, call->body_size);
	}
	printf("}\n");
}

static void print_json(const struct publish *publish)
{
	const struct published *made = publish->made;
	put("{\"ami\":", made->ami);
	put(",\"snapshot\":", made->snapshot);
	put(",\"region\":", made->region);
	put(",\"name\":", publish->name);
	put(",\"sha256\":", publish->digest);
	printf(",\"existed\":%s,\"blocks\":{\"all\":%" PRIu64 ",\"zeros\":%" PRIu64
	       ",\"parent\":%" PRIu64 ",\"sent\":%" PRIu64 "},\"copies\":[",
	       publish->was_there ? "true" : "false", publish->block_count,
	       publish->zero_count, publish->same_count, publish->sent_now);
	for (size_t i = 1; i < publish->made_count; i++) {
		put(i > 1 ? ",{\"region\":" : "{\"region\":", made[i].region);
		put(",\"ami\":", made[i].ami);
		put(",\"snapshot\":", made[i].snapshot);
		printf("}");
	}
	printf("]}\n");
}

static void print_result(const struct publication *it)
{
	const struct publish *publish = &it->publish;
	if (it->dry_run)
		return;
	if (it->json) {
		print_json(publish);
		return;
	}
	printf("%s\n", publish->made[0].ami);
	for (size_t i = 1; i < publish->made_count; i++)
		printf("%s %s\n", publish->made[i].ami, publish->made[i].region);
}

/* What the registration is made of is in the image, as for build -f ami. */
static void describe_disk(struct publication *it)
{
	struct publish *publish = &it->publish;
	const struct image *image = &it->image;
	const struct bundle_header *header =
		(const void *)(image->view.bytes + image->bundle_at);
	publish->disk = image->view.bytes;
	publish->disk_size = image->view.size;
	publish->path = it->path;
	ami_register_as(&publish->as, image->manifest.program, header->sha256,
			publish->disk_size, image->has_system_partition);
	if (!publish->name)
		publish->name = publish->as.name;
	if (it->dry_run)
		publish->show = it->json ? show_json : show_text;
	publish->say = it->quiet || it->json ? NULL : say;
}

static int publish_it(struct publication *it, struct diag *why)
{
	struct sigaction action = {.sa_handler = on_signal};
	int status = open_disk(it, why);
	if (status)
		return status;
	describe_disk(it);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to connections that are gone */
	signal(SIGXFSZ, SIG_IGN); /* a journal that grows too big is an error */
	progress_begin(it->quiet || it->json);
	it->publish.progress = raw_progress;
	int rc = publish_image(&it->publish, why);
	progress_end();
	if (!rc)
		print_result(it);
	return !rc ? EXIT_DONE : caught ? 128 + caught : EXIT_FAILED;
}

static int publish_main(const struct command *command, int argc, char **argv,
			struct diag *why)
{
	struct publication *it = calloc(1, sizeof(*it));
	int status = EXIT_USAGE;
	if (!it) {
		diag_set(why, "out of memory");
		return EXIT_FAILED;
	}
	it->image.fd = -1;
	if (read_arguments(it, argc, argv, why))
		goto out;
	if (it->help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		status = EXIT_DONE;
		goto out;
	}
	status = publish_it(it, why);
out:
	for (size_t i = 0; i < it->owned_count; i++)
		free(it->owned[i]);
	image_close(&it->image);
	free(it);
	return status;
}

const struct command cmd_publish = {"publish", "aws IMAGE [OPTION...]",
				    "make an AMI of an image: snapshot and registration",
				    rows, publish_main};

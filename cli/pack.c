/* pack.c: from a program and what goes with it to a bundle. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/emit.h"
#include "cli/pack.h"
#include "cli/trace_pack.h"
#include "imgfmt/elf_plan.h"

int words_add(struct words *words, const char *word, struct diag *why)
{
	const char **list = realloc(words->list, (words->count + 1) * sizeof(*list));
	if (!list)
		return diag_set(why, "out of memory");
	list[words->count++] = word;
	words->list = list;
	return 0;
}

char *pack_find_program(const char *name, struct diag *why)
{
	const char *path = getenv("PATH");
	char *found = NULL;
	if (strchr(name, '/'))
		return strdup(name);
	for (path = path && *path ? path : PACK_DEFAULT_PATH; *path;) {
		size_t size = strcspn(path, ":");
		struct stat st;
		if (size && asprintf(&found, "%.*s/%s", (int)size, path, name) < 0)
			return NULL;
		if (size && !stat(found, &st) && S_ISREG(st.st_mode) &&
		    !access(found, X_OK))
			return found;
		free(size ? found : NULL);
		path += size + (path[size] == ':');
	}
	diag_set(why, "%s: not found in PATH", name);
	if (!access(name, F_OK))
		diag_hint(why, "give a path, as ./%s", name);
	return NULL;
}

/* Returns an exit status. */
static int check_program(const char *name, const char *file, bool *dynamic,
			 struct diag *why)
{
	struct elf_plan plan;
	const char *reason = "";
	void *bytes = NULL;
	size_t size = 0;
	if (tree_map_file(file, &bytes, &size, why))
		return EXIT_FAILED;
	enum elf_refusal verdict = elf_plan_make(&plan, bytes, size, &reason);
	*dynamic = verdict == ELF_FINE && plan.interp_at != 0;
	tree_unmap_file(bytes, size);
	switch (verdict) {
	case ELF_FINE:
		return EXIT_DONE;
	case ELF_NOT_ELF:
		diag_set(why, "%s: not an ELF program", name);
		break;
	case ELF_FOREIGN:
		diag_set(why, "%s: not a program for 64-bit x86 Linux: %s", name, reason);
		break;
	case ELF_TRUNCATED:
		diag_set(why, "%s: the file is truncated: %s", name, reason);
		break;
	case ELF_MALFORMED:
		diag_set(why, "%s: a malformed ELF file: %s", name, reason);
		break;
	}
	return EXIT_UNSUITABLE;
}

/* Under the system's folders a program keeps its path; elsewhere the path is this
 * machine's business and the program goes to /usr/bin. */
static int image_path(char **out, const char *file, bool *kept_path)
{
	static const char *const kept[] = {"/usr/", "/bin/", "/sbin/", "/opt/"};
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strncmp(file, kept[i], strlen(kept[i])) == 0 && !strstr(file, "/../"))
			return (*kept_path = (*out = strdup(file)) != NULL) ? 0 : -1;
	const char *slash = strrchr(file, '/');
	return asprintf(out, "/usr/bin/%s", slash ? slash + 1 : file) < 0 ? -1 : 0;
}

/* SRC[:DEST]; without DEST the source's last name, in the working directory. */
static int split(const struct pack_request *request, const char *word, bool whole_folder,
		 char **source, char **path, struct diag *why)
{
	const char *colon = strrchr(word, ':');
	size_t size = colon ? (size_t)(colon - word) : strlen(word);
	int rc = 0;
	*source = strndup(word, size);
	if (!*source)
		return diag_set(why, "out of memory");
	const char *name = strrchr(*source, '/');
	name = name ? name + 1 : *source;
	if (colon && colon[1] == '/')
		rc = (*path = strdup(colon + 1)) ? 0 : -1;
	else
		rc = asprintf(path, "%s/%s", request->cwd,
			      colon          ? colon + 1
			      : whole_folder ? ""
					     : name);
	return rc < 0 ? diag_set(why, "out of memory") : 0;
}

enum source_kind { SOURCE_FILE, SOURCE_FOLDER, SOURCE_ARCHIVE };

static int add_sources(struct pack *pack, const struct pack_request *request,
		       const struct words *words, enum source_kind kind, struct diag *why)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < words->count; i++) {
		char *source = NULL, *path = NULL;
		rc = split(request, words->list[i], kind != SOURCE_FILE, &source, &path,
			   why);
		if (rc)
			;
		else if (kind == SOURCE_FILE)
			rc = tree_add_file(&pack->tree, source, path, why);
		else if (kind == SOURCE_FOLDER)
			rc = tree_add_folder(&pack->tree, source, path, &request->exclude,
					     why);
		else
			rc = tree_add_archive(&pack->tree, source, path,
					      &request->exclude, why);
		free(source);
		free(path);
	}
	return rc;
}

static int make_tree(struct pack *pack, const struct pack_request *request,
		     struct diag *why)
{
	static const char *const folders[] = {"/dev", "/proc", "/sys", "/tmp"};
	if (tree_init(&pack->tree, why))
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (tree_make_folder(&pack->tree, folders[i], i == 3 ? 01777 : 0755, why))
			return -1;
	if (tree_make_folder(&pack->tree, request->cwd, 0755, why) ||
	    add_sources(pack, request, &request->archives, SOURCE_ARCHIVE, why) ||
	    add_sources(pack, request, &request->folders, SOURCE_FOLDER, why))
		return -1;
	return add_sources(pack, request, &request->files, SOURCE_FILE, why);
}

int pack_own_folder(char *folder, size_t room, const char *beside, struct diag *why)
{
	ssize_t size = readlink("/proc/self/exe", folder, room - strlen(beside) - 1);
	if (size < 0)
		return diag_errno(why, "/proc/self/exe");
	folder[size] = '\0';
	strcpy(strrchr(folder, '/'), beside);
	return 0;
}

static int read_part(struct part_file *part, const char *folder, const char *name,
		     struct diag *why)
{
	char *path = NULL;
	uint32_t mode = 0;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return diag_set(why, "out of memory");
	int rc = tree_read_file(path, &part->bytes, &part->size, &mode, why);
	if (rc)
		diag_hint(
			why,
			"elfpack's own parts belong into ../libexec/elfpack; --parts DIR "
			"names another folder");
	free(path);
	return rc;
}

static int find_parts(char *folder, size_t room, const char *parts, struct diag *why)
{
	if (!parts)
		return pack_own_folder(folder, room, "/../libexec/elfpack", why);
	if (strlen(parts) >= room)
		return diag_set(why, "%s: too long a path", parts);
	strcpy(folder, parts);
	return 0;
}

int pack_read_loaders(struct pack *pack, const char *parts, struct diag *why)
{
	char folder[4096];
	return find_parts(folder, sizeof(folder), parts, why) ||
			       read_part(&pack->stage1, folder, "mbr.bin", why) ||
			       read_part(&pack->stage2, folder, "stage2.bin", why) ||
			       read_part(&pack->uefi, folder, "bootx64.efi", why)
		       ? -1
		       : 0;
}

static int read_parts(struct pack *pack, const struct pack_request *request,
		      struct diag *why)
{
	char folder[4096];
	if (pack_read_loaders(pack, request->parts, why) ||
	    find_parts(folder, sizeof(folder), request->parts, why) ||
	    read_part(&pack->shim, folder, "shim.elf", why))
		return -1;
	return request->mode == MODE_HTTP ? read_part(&pack->front, folder, "front", why)
					  : 0;
}

void pack_image_parts(const struct pack *pack, struct image_parts *parts)
{
	*parts = (struct image_parts){
		.stage1 = pack->stage1.bytes,
		.stage1_size = pack->stage1.size,
		.stage2 = pack->stage2.bytes,
		.stage2_size = pack->stage2.size,
		.system_partition = &pack->system.fat.extents,
		.uefi = pack->uefi.bytes,
		.uefi_size = pack->uefi.size,
		.bundle = pack->packed.extents.size ? &pack->packed : &pack->bundle};
}

int pack_compress(struct pack *pack, const struct bundle *plain, struct diag *why)
{
	if (bundle_pack(&pack->packed, plain, emit_threads(), why))
		return -1;
	uefi_system_free(&pack->system);
	memset(&pack->system, 0, sizeof(pack->system));
	return pack->uefi.size ? uefi_system_make(&pack->system, pack->uefi.bytes,
						  pack->uefi.size, &pack->packed, why)
			       : 0;
}

static int make_bundle(struct pack *pack, struct diag *why)
{
	struct extents section[BUNDLE_MANIFEST] = {0};
	int rc = extents_add(&section[BUNDLE_SHIM - 1], 0, pack->shim.bytes,
			     pack->shim.size) ||
		 extents_add(&section[BUNDLE_FRONT - 1], 0, pack->front.bytes,
			     pack->front.size) ||
		 extents_add(&section[BUNDLE_MANIFEST - 1], 0, pack->manifest,
			     pack->manifest_size) ||
		 extents_append(&section[BUNDLE_ROOTFS - 1], 0, &pack->rootfs.extents);
	rc = rc ? diag_set(why, "out of memory")
		: bundle_write(&pack->bundle, section, why);
	for (size_t i = 0; i < BUNDLE_MANIFEST; i++)
		extents_free(&section[i]);
	return rc;
}

int pack_build_time(uint64_t *seconds, struct diag *why)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	*seconds = 0;
	if (!text || !*text)
		return 0;
	return option_number(text, seconds)
		       ? diag_set(why, "SOURCE_DATE_EPOCH: %s is not a number of seconds",
				  text)
		       : 0;
}

int pack_add_libraries(struct tree *tree, const struct elf_deps *deps, struct diag *why)
{
	for (size_t i = 1; i < deps->count; i++)
		if (tree_add_own_path(tree, deps->list[i].path, why))
			return -1;
	return deps->uses_cache ? tree_add_own_path(tree, "/etc/ld.so.cache", why) : 0;
}

/* The program itself replaces what --file or --archive brought in its place. When it
 * keeps its path, the links on the way to it are kept too: argv[0] is found in PATH then,
 * and programs that look beside themselves find the same as here. */
static int put_program(struct pack *pack, const char *file, const char *path,
		       bool kept_path, struct diag *why)
{
	char *real = kept_path ? realpath(file, NULL) : strdup(path);
	int rc = real ? tree_add_file(&pack->tree, file, real, why)
		      : diag_set(why, "%s: out of memory", file);
	if (!rc)
		tree_find(&pack->tree, real)->inode->mode |= 0111;
	if (!rc && kept_path)
		rc = tree_add_own_path(&pack->tree, file, why);
	free(real);
	return rc;
}

/* Returns an exit status. */
static int find_libraries(struct elf_deps *deps, const char *file, struct diag *why)
{
	if (elf_deps_find(deps, file, why))
		return EXIT_FAILED;
	return elf_deps_missing(deps, why) ? EXIT_UNSUITABLE : EXIT_DONE;
}

int pack_check(const char *program, struct elf_deps *deps, struct diag *why)
{
	char *file = pack_find_program(program, why);
	bool dynamic = false;
	int status = file ? check_program(program, file, &dynamic, why) : EXIT_FAILED;
	if (!status && dynamic && elf_deps_find(deps, file, why))
		status = EXIT_FAILED;
	free(file);
	return status;
}

int pack_make(struct pack *pack, const struct pack_request *request, struct diag *why)
{
	char *file = pack_find_program(request->program, why), *path = NULL;
	uint64_t seconds = 0;
	bool dynamic = false, kept_path = false;
	struct elf_deps deps = {0};
	int status = EXIT_FAILED;
	memset(pack, 0, sizeof(*pack));
	if (!file || (status = check_program(request->program, file, &dynamic, why)))
		goto out;
	if (dynamic && (status = find_libraries(&deps, file, why)))
		goto out;
	status = EXIT_FAILED;
	if (image_path(&path, file, &kept_path))
		goto out;
	if (!kept_path && deps.uses_origin) {
		/* What is found beside the program must stay beside it. */
		free(path);
		if (!(path = strdup(deps.list[0].path)))
			goto out;
	}
	if (pack_build_time(&seconds, why) || make_tree(pack, request, why) ||
	    put_program(pack, file, path, kept_path, why) ||
	    pack_add_libraries(&pack->tree, &deps, why))
		goto out;
	if (request->profile &&
	    (status = profile_pack(&pack->tree, request->profile, why)))
		goto out;
	status = EXIT_FAILED;
	if (trace_pack(&pack->tree, request, file, why))
		goto out;
	if (pack_manifest(pack, request, path, why) || read_parts(pack, request, why) ||
	    erofs_write(&pack->rootfs, &pack->tree, seconds, why) ||
	    make_bundle(pack, why) ||
	    uefi_system_make(&pack->system, pack->uefi.bytes, pack->uefi.size,
			     &pack->bundle, why))
		goto out;
	status = EXIT_DONE;
out:
	if (status)
		diag_set(why, "out of memory");
	elf_deps_free(&deps);
	free(path);
	free(file);
	return status;
}

void pack_free(struct pack *pack)
{
	uefi_system_free(&pack->system);
	bundle_free(&pack->packed);
	bundle_free(&pack->bundle);
	erofs_image_free(&pack->rootfs);
	tree_free(&pack->tree);
	free(pack->manifest);
	free(pack->stage1.bytes);
	free(pack->stage2.bytes);
	free(pack->uefi.bytes);
	free(pack->shim.bytes);
	free(pack->front.bytes);
}

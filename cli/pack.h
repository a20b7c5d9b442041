/* pack.h: from a program and what goes with it to a bundle, in memory. Formats and files
 * are the commands' own. */
#ifndef ELFPACK_CLI_PACK_H
#define ELFPACK_CLI_PACK_H

#include "cli/elf_deps.h"
#include "cli/http_keys.h"
#include "cli/profile.h"
#include "imgfmt/bundle.h"
#include "imgfmt/diag.h"
#include "imgfmt/erofs.h"
#include "imgfmt/layout.h"
#include "imgfmt/manifest.h"
#include "imgfmt/tree.h"
#include "imgfmt/uefi_system.h"

#define PACK_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct pack_request {
	const char *program; /* a path, or a name to be found in PATH */
	enum manifest_mode mode;
	uint16_t port;
	const char *cwd;
	struct words args;                     /* behind argv[0] */
	struct words env;                      /* K=V */
	struct words files, folders, archives; /* SRC[:DEST] */
	struct words traces;                   /* lines of arguments */
	struct words exclude;
	struct http_keys http;         /* a key that is set here is not the profile's */
	const struct profile *profile; /* NULL: none */
	struct limits limits;
	bool quiet, verbose;
	/* The folder with mbr.bin, stage2.bin, bootx64.efi, shim.elf and front; NULL:
	 * ours. */
	const char *parts;
};

struct part_file {
	void *bytes;
	size_t size;
};

struct pack {
	struct tree tree;
	struct erofs_image rootfs;
	char *manifest;
	size_t manifest_size;
	struct part_file stage1, stage2, uefi, shim, front;
	struct bundle bundle;
	struct bundle
		packed; /* pack_compress's; empty: the image has the bundle as it is */
	struct uefi_system system;
};

int words_add(struct words *words, const char *word, struct diag *why);
/* The program's file, malloc'd: a path, or a name found in PATH; NULL: *why says. */
char *pack_find_program(const char *name, struct diag *why);
/* Libraries and the interpreter, at their own paths with the links that lead there. */
int pack_add_libraries(struct tree *tree, const struct elf_deps *deps, struct diag *why);
/* A folder of ours, from where the command lies: beside begins with "/..". */
int pack_own_folder(char *folder, size_t room, const char *beside, struct diag *why);
/* Returns an exit status. The pack must not move; pack_free in any case. */
int pack_make(struct pack *pack, const struct pack_request *request, struct diag *why);
/* pack_manifest.c: the program's variables in the image, followed by a NULL; env->list is
 * malloc'd, its words are the request's. */
int pack_environment(struct words *env, const struct pack_request *request,
		     struct diag *why);
/* Fills in the manifest for a program at that path of the image. */
int pack_manifest(struct pack *pack, const struct pack_request *request, const char *path,
		  struct diag *why);
/* What a program needs, found or not; an exit status, as of pack_make. elf_deps_free in
 * any case. */
int pack_check(const char *program, struct elf_deps *deps, struct diag *why);
/* The disk's parts other than the bundle; parts is a folder, NULL: ours. For a bundle
 * that was read from somewhere. */
int pack_read_loaders(struct pack *pack, const char *parts, struct diag *why);
/* From now on the image's bundle is plain, deflated; its UEFI loader is bound to that if
 * it was read. Returns 0 or -1. */
int pack_compress(struct pack *pack, const struct bundle *plain, struct diag *why);
/* SOURCE_DATE_EPOCH, 0 where it is not set. Returns 0 or -1. */
int pack_build_time(uint64_t *seconds, struct diag *why);
/* Points into the pack. */
void pack_image_parts(const struct pack *pack, struct image_parts *parts);
void pack_free(struct pack *pack);

#endif

/* exec.h: putting a program into a process.
 *
 *   exec_args.c   argv and envp on their way to the new stack
 *   exec_image.c  files to segments: plans (cached per boot), scripts, interpreters
 *   exec_stack.c  the first stack: strings, vectors, auxv
 *   exec.c        the order of it all, and the point of no return */
#ifndef SHIM_PROC_EXEC_H
#define SHIM_PROC_EXEC_H

#include "imgfmt/elf_plan.h"
#include "shim/mm/usercopy.h"
#include "shim/proc/process.h"

/* The strings of argv, then of envp, each with its NUL, as they will lie on the stack. */
struct exec_args {
	struct account *account; /* pays for bytes */
	char *bytes;
	size_t used, room;
	uint32_t argc, envc;
	size_t limit; /* bytes with the pointers to them: E2BIG above */
};

/* argv first, then envp. 0, -E2BIG, -ENOMEM, -EFAULT. */
void exec_args_init(struct exec_args *args, struct account *account,
		    uint64_t stack_limit);
int exec_args_add(struct exec_args *args, const char *string, bool environment);
int exec_args_add_user(struct exec_args *args, uaddr vector, bool environment);
/* Puts strings (NULL-terminated) in the place of argv[0], as a #! line does. */
int exec_args_replace_first(struct exec_args *args, const char *const *strings);
void exec_args_free(struct exec_args *args);

/* A file that can be mapped as a program. */
struct exec_image {
	struct vnode *vnode;         /* counted */
	const struct elf_plan *plan; /* the cache's, or own */
	struct elf_plan *own;
	uint64_t bias;
};

/* The program behind a path: follows #! lines, changing args. -ENOEXEC, -ELOOP,
 * -EACCES... */
int exec_image_find(struct exec_image *out, const struct path_context *paths,
		    struct vnode *file, const char *name, struct exec_args *args);
/* PT_INTERP's; out->vnode NULL: there is none. */
int exec_image_interpreter(struct exec_image *out, const struct path_context *paths,
			   const struct exec_image *program);
/* Chooses both biases; before anything is mapped but a program at a fixed address. */
int exec_place(struct exec_image *program, struct exec_image *interpreter,
	       struct vmspace *vm, bool randomize);
int exec_image_map(struct exec_image *image, struct vmspace *vm);
void exec_image_put(struct exec_image *image);

/* What the new stack says. */
struct exec_stack {
	const struct exec_args *args;
	const char *name; /* AT_EXECFN */
	const struct exec_image *program, *interpreter;
	bool randomize;
	/* Results. */
	uint64_t sp, arg_start, arg_end, env_start, env_end;
	uint64_t auxv[48];
	uint32_t auxv_bytes;
};
int exec_stack_build(struct exec_stack *stack, struct vmspace *vm);

/* The program in its new memory, not yet anybody's. */
struct exec_loaded {
	struct vmspace *vm;
	uint64_t entry, sp;
	char *exe_path;
	char comm[COMM_MAX];
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv[48];
	uint32_t auxv_bytes;
};
/* file: the program's, or NULL to look name up. */
int exec_load(struct exec_loaded *out, struct process *process, struct vnode *file,
	      const char *name, struct exec_args *args);
/* The current process becomes the program; does not fail any more. */
void exec_commit(struct exec_loaded *loaded, struct thread *thread);
void exec_discard(struct exec_loaded *loaded);
/* execve: 0 and the current thread's frame is the new program's, or -errno. */
int exec_replace(struct vnode *file, const char *name, struct exec_args *args);

/* job.c */
void job_started(struct job *job, struct process *leader);
/* As job_start_program, with argv and envp collected already. */
int job_start_args(struct job *job, const char *path, struct exec_args *args,
		   const char *cwd, struct file *stdio[3]);

#endif

/* diag.h: what went wrong, for whoever may print it. Libraries fill one and return a
 * code; only the command's main prints and exits. */
#ifndef ELFPACK_DIAG_H
#define ELFPACK_DIAG_H

struct diag {
	char message[2048]; /* "what: which: why", no newline at its end */
	char hint[512];     /* empty: none */
};

/* Both return -1, so that a function can end with them. The first message stays. */
int diag_set(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with ": " and errno's text behind it. */
int diag_errno(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds to a message, where the first one stays. */
void diag_add(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void diag_hint(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

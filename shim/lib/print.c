/* print.c: formatted text. Stopping the machine (panic) is the architecture's. */
#include "shim/lib/print.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef ELFPACK_KERNEL
#include "shim/dev/console.h"
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

struct output {
	char *at, *end; /* end: where the last NUL may go */
	size_t wanted;
};

static void put(struct output *out, char c)
{
	if (out->at < out->end)
		*out->at++ = c;
	out->wanted++;
}

static void pad(struct output *out, char c, size_t have, size_t width)
{
	for (; have < width; have++)
		put(out, c);
}

struct conversion {
	bool left, zeros;
	size_t width;
	size_t precision; /* SIZE_MAX: none */
	unsigned longs;   /* l, ll, z */
};

static void put_text(struct output *out, const struct conversion *c, const char *text)
{
	if (!text)
		text = "(null)";
	size_t size = strnlen(text, c->precision);
	if (!c->left)
		pad(out, ' ', size, c->width);
	for (size_t i = 0; i < size; i++)
		put(out, text[i]);
	if (c->left)
		pad(out, ' ', size, c->width);
}

static void put_number(struct output *out, const struct conversion *c, uint64_t value,
		       unsigned base, const char *sign)
{
	char digits[24];
	size_t n = 0, prefix = strlen(sign);
	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	bool zeros = c->zeros && !c->left;
	if (!c->left && !zeros)
		pad(out, ' ', n + prefix, c->width);
	for (size_t i = 0; i < prefix; i++)
		put(out, sign[i]);
	if (zeros)
		pad(out, '0', n + prefix, c->width);
	for (size_t i = n; i;)
		put(out, digits[--i]);
	if (c->left)
		pad(out, ' ', n + prefix, c->width);
}

static const char *parse_number(const char *f, size_t *value)
{
	for (*value = 0; *f >= '0' && *f <= '9'; f++)
		*value = *value * 10 + (size_t)(*f - '0');
	return f;
}

/* The flags, width, precision and length that precede a conversion's letter. A va_list is
 * passed on by address in a structure: it may be an array. */
struct arguments {
	va_list list;
};

static const char *parse(const char *f, struct conversion *c, struct arguments *args)
{
	*c = (struct conversion){.precision = SIZE_MAX};
	for (; *f == '-' || *f == '0'; f++) {
		if (*f == '-')
			c->left = true;
		else
			c->zeros = true;
	}
	f = parse_number(f, &c->width);
	if (*f == '.' && f[1] == '*') {
		int precision = va_arg(args->list, int);
		c->precision = precision < 0 ? SIZE_MAX : (size_t)precision;
		f += 2;
	} else if (*f == '.') {
		f = parse_number(f + 1, &c->precision);
	}
	for (; *f == 'l' || *f == 'z'; f++)
		c->longs++;
	return f;
}

static void convert(struct output *out, char letter, const struct conversion *c,
		    struct arguments *args)
{
	int64_t number;
	char one[2] = {0};
	switch (letter) {
	case 's':
		put_text(out, c, va_arg(args->list, const char *));
		break;
	case 'c':
		one[0] = (char)va_arg(args->list, int);
		put(out, one[0]);
		break;
	case 'd':
	case 'i':
		number = c->longs ? va_arg(args->list, long) : va_arg(args->list, int);
		put_number(out, c, number < 0 ? -(uint64_t)number : (uint64_t)number, 10,
			   number < 0 ? "-" : "");
		break;
	case 'u':
	case 'x':
		put_number(out, c,
			   c->longs ? va_arg(args->list, unsigned long)
				    : va_arg(args->list, unsigned),
			   letter == 'x' ? 16 : 10, "");
		break;
	case 'p':
		put_number(out, c, (uintptr_t)va_arg(args->list, void *), 16, "0x");
		break;
	default:
		put(out, letter);
	}
}

int kvsnprintf(char *out, size_t room, const char *format, va_list list)
{
	char none;
	struct output to = {out, room ? out + room - 1 : out, 0};
	if (room == 0)
		to.at = to.end = &none;
	struct arguments args;
	va_copy(args.list, list);
	for (const char *f = format; *f; f++) {
		struct conversion c;
		if (*f != '%') {
			put(&to, *f);
			continue;
		}
		f = parse(f + 1, &c, &args);
		if (!*f)
			break;
		convert(&to, *f, &c, &args);
	}
	va_end(args.list);
	*to.at = '\0';
	return (int)to.wanted;
}

int ksnprintf(char *out, size_t room, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int wanted = kvsnprintf(out, room, format, args);
	va_end(args);
	return wanted;
}

#ifdef ELFPACK_KERNEL
/* Longer lines are cut: they come from file names and the like. */
#define LINE_MAX 1024

void kvprint(const char *format, va_list args)
{
	char line[LINE_MAX];
	int wanted = kvsnprintf(line, sizeof(line), format, args);
	size_t size = (size_t)wanted < sizeof(line) ? (size_t)wanted : sizeof(line) - 1;
	if ((size_t)wanted >= sizeof(line))
		line[size - 1] = '\n';
	console_write(line, size);
}

void kprint(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	kvprint(format, args);
	va_end(args);
}
#endif

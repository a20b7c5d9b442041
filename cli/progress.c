/* progress.c: one line on standard error, written over again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"
#include "imgfmt/raw.h"

#define PATIENCE_MS 1000 /* shorter work shows nothing */
#define REFRESH_MS  100
#define BAR_CELLS   30
#define LINE_CELLS  79

static struct {
	uint64_t started_ms, writing_ms, shown_ms; /* 0: not yet */
	uint64_t last_bytes;
	bool coloured, visible;
} bar;

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void show(uint64_t done, uint64_t total, uint64_t now)
{
	char text[LINE_CELLS + 1], cells[BAR_CELLS + 1];
	uint64_t spent_ms = now - bar.writing_ms + 1;
	uint64_t rate = done * 1000 / spent_ms; /* bytes a second */
	uint64_t left_s = rate ? (total - done + rate - 1) / rate : 0;
	size_t full = total ? (size_t)(done * BAR_CELLS / total) : BAR_CELLS;
	memset(cells, '#', full);
	memset(cells + full, '.', BAR_CELLS - full);
	cells[BAR_CELLS] = '\0';
	snprintf(text, sizeof(text),
		 "%" PRIu64 " of %" PRIu64 " MB, %" PRIu64 " MB/s, %" PRIu64 " s left",
		 done / 1000000, total / 1000000, rate / 1000000, left_s);
	fprintf(stderr, bar.coloured ? "\r\033[32m%s\033[0m %-*s" : "\r%s %-*s", cells,
		LINE_CELLS - BAR_CELLS - 2, text);
	bar.shown_ms = now;
	bar.visible = true;
}

static void on_bytes(uint64_t done, uint64_t total)
{
	uint64_t now = now_ms();
	if (!bar.writing_ms || done < bar.last_bytes) /* another file */
		bar.writing_ms = now;
	bar.last_bytes = done;
	if (now - bar.started_ms >= PATIENCE_MS && now - bar.shown_ms >= REFRESH_MS)
		show(done, total, now);
}

void progress_begin(bool quiet)
{
	const char *plain = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (quiet || !isatty(STDERR_FILENO))
		return;
	memset(&bar, 0, sizeof(bar));
	bar.started_ms = now_ms();
	bar.coloured = !(plain && *plain) && terminal && strcmp(terminal, "dumb") != 0;
	raw_progress = on_bytes;
}

void progress_end(void)
{
	raw_progress = NULL;
	if (bar.visible)
		fprintf(stderr, "\r%*s\r", LINE_CELLS, "");
	bar.visible = false;
}

/*
 * The progress line.
 *
 * Only on a terminal, only after a second, at most five times a second, in one line on stderr that
 * is taken away again. No colour. A terminal that says it is dumb gets none.
 */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/human.h"

#define QUIET_MS    1000
#define INTERVAL_MS 200
#define BAR_CELLS   24

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_init(struct progress *progress)
{
    const char *terminal = getenv("TERM");

    *progress = (struct progress){.start_ms = now_ms()};
    progress->is_on =
        isatty(STDERR_FILENO) && terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

int64_t progress_elapsed_ms(const struct progress *progress)
{
    return now_ms() - progress->start_ms;
}

bool progress_is_due(const struct progress *progress)
{
    return progress->is_on && progress_elapsed_ms(progress) >= QUIET_MS;
}

static void show(struct progress *progress, const struct tally *tally)
{
    char done[HUMAN_BYTES];
    char total[HUMAN_BYTES];
    char found[HUMAN_BYTES];
    char time[HUMAN_BYTES];
    char bar[BAR_CELLS + 1];

    human_count(done, tally->n_items);
    human_count(found, tally->n_found);
    human_duration(time, (double)progress_elapsed_ms(progress) / 1000);
    if (progress->n_total >= tally->n_items && progress->n_total > 0) {
        size_t n_full = (size_t)(tally->n_items * BAR_CELLS / progress->n_total);

        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', n_full);
        bar[BAR_CELLS] = '\0';
        fprintf(stderr, "\r\033[K[%s] %s of %s, %s found, %s", bar, done,
                human_count(total, progress->n_total), found, time);
    } else {
        fprintf(stderr, "\r\033[K%s checked, %s found, %s", done, found, time);
    }
    fflush(stderr);
    progress->is_shown = true;
}

int progress_tick(struct progress *progress, const struct tally *tally)
{
    int64_t elapsed = progress_elapsed_ms(progress);
    int64_t since;

    if (!progress->is_on) {
        return -1;
    }
    if (elapsed < QUIET_MS) {
        return (int)(QUIET_MS - elapsed);
    }
    since = now_ms() - progress->shown_ms;
    if (since >= INTERVAL_MS) {
        show(progress, tally);
        progress->shown_ms = now_ms();
        since = 0;
    }
    return (int)(INTERVAL_MS - since);
}

void progress_hide(struct progress *progress)
{
    if (progress->is_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->is_shown = false;
        progress->shown_ms = 0;
    }
}

/*
 * pes scan: ask about files, standard input, or lines.
 *
 * Every item that was named gets an outcome: found, clean, not fully checked, not asked, not read.
 * They are counted, and the count decides the exit status. One that cannot be read or asked stops
 * none of the others. A failure of the service as a whole is told once, not once per item.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <pes/pes.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/human.h"
#include "cli/item_count.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/scan_json.h"
#include "cli/scan_options.h"
#include "cli/scan_table.h"
#include "cli/service.h"
#include "cli/window.h"

/* Rows wait this long at most for others to be aligned with. */
#define FLUSH_MS 500
/* Entries of folders that are counted in between, for the progress bar. */
#define COUNT_STEPS 200

struct scan {
    struct scan_options options;
    struct tally tally;
    struct progress progress;
    struct item_count count;
    struct scan_table *table; /* NULL: JSON */
    int64_t flushed_ms;
    uint64_t n_links;
    uint64_t told_errors; /* bit: PES_E_* that was told */
    bool was_answered;
    bool is_stopped; /* not everything was gone through */
    int error;       /* negative errno that ends it all */
};

static void complain_item(struct scan *scan, const struct item *item, const char *problem)
{
    CLEANUP(freep) char *name = human_text_dup(item->name);

    progress_hide(&scan->progress);
    if (item->ordinal > 0) {
        fprintf(stderr, "pes: '%s', line %llu: %s\n", name ? name : "?",
                (unsigned long long)item->ordinal, problem);
    } else {
        fprintf(stderr, "pes: '%s': %s\n", name ? name : "?", problem);
    }
}

static void complain_service(struct scan *scan, const struct pes_answer_info *info)
{
    int error = info->error;
    uint64_t bit = error < 0 && error > -64 ? (uint64_t)1 << -error : 1;

    if (!(scan->told_errors & bit)) {
        scan->told_errors |= bit;
        progress_hide(&scan->progress);
        service_complain(error, info->quota);
    }
}

static int flush_table(struct scan *scan)
{
    int r;

    if (!scan->table || scan_table_is_empty(scan->table)) {
        return 0;
    }
    progress_hide(&scan->progress);
    r = scan_table_flush(scan->table);
    fflush(stdout);
    scan->flushed_ms = progress_elapsed_ms(&scan->progress);
    return r;
}

/* Prints one result. Return: 0 or a negative errno. */
static int print_result(struct scan *scan, const struct window_result *result)
{
    int r;

    if (!scan->table) {
        progress_hide(&scan->progress);
        return scan_json_print(result);
    }
    if (!result->answer) {
        r = flush_table(scan);
        complain_item(scan, result->item, result->item->problem);
        return r;
    }
    if (scan_table_is_empty(scan->table)) {
        scan->flushed_ms = progress_elapsed_ms(&scan->progress);
    }
    r = scan_table_add(scan->table, result);
    if (r == 0 && scan_table_is_full(scan->table)) {
        r = flush_table(scan);
    }
    return r;
}

/* Whether a failure is the service's as a whole, and not one question's. */
static bool is_of_service(int error)
{
    switch (error) {
    case -PES_E_NOT_CONNECTED:
    case -PES_E_NO_BROKER:
    case -PES_E_BROKER_LOST:
    case -PES_E_VERSION:
    case -PES_E_PERMISSION:
    case -PES_E_DEADLINE_PASSED:
        return true;
    default:
        return false;
    }
}

/* Return: 0 to go on, 1 to stop. */
static int on_result(const struct window_result *result, void *userdata)
{
    struct scan *scan = userdata;
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    enum outcome outcome = OUTCOME_UNREAD;

    if (result->answer) {
        pes_answer_info(result->answer, &info);
        outcome = outcome_of(&info);
        scan->was_answered |= outcome != OUTCOME_UNASKED;
    }
    tally_add(&scan->tally, outcome);
    if (outcome == OUTCOME_UNASKED) {
        complain_service(scan, &info);
    }
    /* For people: a service that never answered is not asked about the rest of the disk. Programs
     * get a line per item. */
    if (outcome == OUTCOME_UNASKED && scan->table && !scan->was_answered &&
        is_of_service(info.error)) {
        scan->is_stopped = true;
        return 1;
    }
    scan->error = print_result(scan, result);
    return scan->error < 0 || ferror(stdout);
}

/* How many there will be is known at once for files, bit by bit for folders, never for lines. */
static void count_on(struct scan *scan)
{
    if (scan->options.split == ITEMS_WHOLE && progress_is_due(&scan->progress)) {
        item_count_step(&scan->count, COUNT_STEPS);
        scan->progress.n_total = scan->count.is_complete ? scan->count.n_items : 0;
    }
}

static int on_wait(bool is_starved, void *userdata)
{
    struct scan *scan = userdata;
    int64_t held_ms = progress_elapsed_ms(&scan->progress) - scan->flushed_ms;
    int wait_ms;

    count_on(scan);
    wait_ms = progress_tick(&scan->progress, &scan->tally);
    if (!scan->table) {
        fflush(stdout);
        return wait_ms;
    }
    if (scan_table_is_empty(scan->table)) {
        return wait_ms;
    }
    if (is_starved || held_ms >= FLUSH_MS) {
        scan->error = flush_table(scan);
        return wait_ms;
    }
    return wait_ms < 0 || wait_ms > FLUSH_MS - held_ms ? (int)(FLUSH_MS - held_ms) : wait_ms;
}

static void on_link(const char *path, void *userdata)
{
    struct scan *scan = userdata;

    scan->n_links++;
    if (scan->options.is_verbose) {
        CLEANUP(freep) char *name = human_text_dup(path);

        progress_hide(&scan->progress);
        fprintf(stderr, "pes: '%s': is a symbolic link, not followed\n", name ? name : "?");
    }
}

static void add_count(char *text, size_t n_text, uint64_t count, const char *what)
{
    char number[HUMAN_BYTES];
    size_t n = strlen(text);

    if (count > 0) {
        snprintf(text + n, n_text - n, "%s%s %s", n ? ", " : "", human_count(number, count), what);
    }
}

static void print_summary(const struct scan *scan)
{
    const struct tally *t = &scan->tally;
    char text[512] = "";
    char number[HUMAN_BYTES];
    char time[HUMAN_BYTES];
    uint64_t n_checked = t->n_items - t->n_unasked - t->n_unread;

    if (scan->is_stopped) {
        fputs("nothing was checked\n", stderr);
        return;
    }
    add_count(text, sizeof(text), t->n_found, "found");
    if (t->n_found == 0 && n_checked > t->n_unchecked) {
        snprintf(text, sizeof(text), "nothing found");
    }
    add_count(text, sizeof(text), t->n_unchecked, "not fully checked");
    add_count(text, sizeof(text), t->n_unasked, "not asked");
    add_count(text, sizeof(text), t->n_unread, "not read");
    add_count(text, sizeof(text), scan->n_links,
              scan->n_links == 1 ? "symbolic link not followed" : "symbolic links not followed");
    fprintf(stderr, "%s checked%s%s (%s)\n", human_count(number, n_checked), text[0] ? ": " : "",
            text, human_duration(time, (double)progress_elapsed_ms(&scan->progress) / 1000));
}

/* One descriptor is held per question and per level of folders. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run_scan(struct scan *scan, struct pes_ctx *ctx)
{
    CLEANUP(items_freep) struct items *items = NULL;
    struct items_options items_options = {
        .paths = scan->options.paths,
        .n_paths = scan->options.n_paths,
        .is_recursive = scan->options.is_recursive,
        .split = scan->options.split,
        .on_link = on_link,
        .userdata = scan,
    };
    struct window_callbacks callbacks = {
        .on_result = on_result, .on_wait = on_wait, .userdata = scan};
    int r = items_new(&items, &items_options);

    if (r == 0) {
        r = window_run(ctx, items, &scan->options, &callbacks);
    }
    if (r == 0) {
        r = scan->error;
    }
    if (r == 0) {
        r = flush_table(scan);
    }
    progress_hide(&scan->progress);
    return r;
}

static int scan_files(struct scan *scan)
{
    CLEANUP(scan_table_freep) struct scan_table *table = NULL;
    struct pes_ctx *ctx;
    int r = 0;

    if (!scan->options.is_json) {
        r = scan_table_new(&table, scan->options.is_verbose);
    }
    scan->table = table;
    progress_init(&scan->progress);
    item_count_init(&scan->count, scan->options.paths, scan->options.n_paths,
                    scan->options.is_recursive);
    raise_descriptor_limit();
    ctx = pes_open(scan->options.app ? scan->options.app : "pes", PES_VERSION,
                   PES_CAN_ASK | PES_CAN_STOP);
    if (r == 0) {
        r = ctx ? run_scan(scan, ctx) : -ENOMEM;
    }
    pes_close(ctx);
    item_count_fini(&scan->count);
    scan->table = NULL;
    return r;
}

static int run(int argc, char **argv)
{
    struct scan scan = {.error = 0};
    int r = scan_options_parse(&scan.options, argc, argv);

    if (r == SCAN_OPTIONS_E_HELP) {
        return command_print_help(&command_scan);
    }
    if (r != 0) {
        return EXIT_USAGE;
    }
    r = scan_files(&scan);
    if (r < 0) {
        fprintf(stderr, "pes: the scan ended early: %s\n", strerror(-r));
        return command_finish(scan.tally.n_found > 0 ? EXIT_FOUND : EXIT_NOT_ASKED);
    }
    if (!scan.options.is_json) {
        fflush(stdout);
        print_summary(&scan);
    }
    return command_finish(tally_exit_status(&scan.tally));
}

static const char help_text[] =
    "Usage: pes scan [OPTION]... PATH...\n"
    "       pes scan [OPTION]... -\n"
    "       pes scan --lines|-0 [OPTION]... [PATH|-]...\n"
    "\n"
    "Asks every provider about each PATH, or about standard input ('-').\n"
    "\n"
    "What to ask about:\n"
    "  -r, --recursive      scan all files in folders; symbolic links are not followed\n"
    "      --lines          each line is one question, of kind command.interactive\n"
    "                       unless --kind says otherwise; without PATH: standard input\n"
    "  -0, --null           as --lines, for items that end in a zero byte\n"
    "      --kind KIND      what it is ('pes kinds' lists all); otherwise guessed from\n"
    "                       the content and the name\n"
    "\n"
    "What providers are told:\n"
    "      --origin-url URL where it came from; otherwise read from the file's\n"
    "                       attribute user.xdg.origin.url\n"
    "      --referrer URL   page that led there; otherwise user.xdg.referrer.url\n"
    "      --app NAME       on behalf of which application\n"
    "      --reason REASON  why it is asked now, such as paste, download or open\n"
    "      --session ID     these questions belong together\n"
    "      --private        leave no name and no cached verdict behind\n"
    "      --no-cache       ask again even if the answer is known\n"
    "\n"
    "How:\n"
    "      --timeout TIME   longest wait for one answer: '800' or '800ms' or '5s';\n"
    "                       default 30s\n"
    "      --jobs N         questions under way at once, 1 to 256; default 16\n"
    "      --json           one JSON object per question and line, on stdout\n"
    "      --verbose        tell about what is clean, too, and all findings\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 1 something was found; otherwise 2 something could not be asked or\n"
    "read; otherwise 3 something was not fully checked; otherwise 0. 64 wrong use.\n";

const struct command command_scan = {
    .name = "scan",
    .summary = "ask about files, standard input, or lines",
    .help = help_text,
    .run = run,
};

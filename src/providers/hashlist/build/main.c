/*
 * pes-definitions-hashlist: makes the compiled list of the hashlist provider from feeds.
 *
 * `pes definitions build --type hashlist` runs it. It reads what strangers publish, needs no rights
 * and no network, and writes one file. Exit status: 0 everything was accepted, 1 a list was written
 * and some lines were refused, 2 it could not be done, 3 nothing usable (no list was written), 64
 * wrong use.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/hashlist/build/list_build.h"
#include "providers/hashlist/build/list_write.h"
#include "providers/hashlist/build/report.h"
#include "providers/hashlist/list_file.h"

#define EXIT_ACCEPTED 0
#define EXIT_REFUSED  1
#define EXIT_NOT_DONE 2
#define EXIT_NOTHING  3
#define EXIT_USAGE    64

#define INPUTS_MAX (LIST_SOURCES_MAX - 1)

struct arguments {
    struct list_request requests[INPUTS_MAX];
    size_t n_requests;
    enum feed_format format;
    const char *name;
    const char *output;
    bool takes_all_ids;
    bool is_json;
};

static const char usage_text[] =
    "Usage: pes definitions build --type hashlist --output FILE [OPTION | INPUT]...\n"
    "       pes definitions check --type hashlist FILE...\n"
    "\n"
    "Compiles hashes of files (SHA-256, SHA-1, MD5) into the list that the hashlist\n"
    "provider reads. An INPUT is a file, or the folder of a MISP feed.\n"
    "\n"
    "      --output FILE        the list; replaced at once, never changed in place\n"
    "      --deny INPUT         bad files; as INPUT alone\n"
    "      --allow INPUT        good files; also taken out of the deny lists\n"
    "      --warning INPUT      not to be denied, and no more than that\n"
    "      --test INPUT         to be reported as test samples\n"
    "      --format FORMAT      of the inputs that follow: auto (default), plain, csv,\n"
    "                           clamav, misp, stix, warninglist\n"
    "      --name NAME          of entries without one, in the inputs that follow\n"
    "      --all-ids            also attributes that MISP does not mark for detection\n"
    "      --json               one JSON object on stdout instead of a table\n"
    "  -h, --help               this text\n"
    "\n"
    "'check' reads a list in full and says what is in it, or what is wrong with it.\n"
    "\n"
    "Exit status: 0 all was accepted; 1 the list was written, some lines were refused;\n"
    "2 it could not be done; 3 nothing usable, no list was written; 64 wrong use.\n";

static int usage(const char *why, const char *what)
{
    char safe[256];

    report_safe(safe, sizeof(safe), what);
    fprintf(stderr, "pes definitions: %s%s%s%s; see --help\n", why, *safe ? " '" : "", safe,
            *safe ? "'" : "");
    return EXIT_USAGE;
}

static bool ends_in(const char *text, const char *suffix)
{
    size_t n = strlen(text);

    return n > strlen(suffix) && strcmp(text + n - strlen(suffix), suffix) == 0;
}

/* Returns -1, or the status to exit with. */
static int input_add(struct arguments *arguments, enum feed_role role, const char *path)
{
    if (arguments->n_requests == INPUTS_MAX) {
        return usage("more than 4095 inputs", "");
    }
    if (role == FEED_DENY && (ends_in(path, ".fp") || ends_in(path, ".sfp"))) {
        return usage("what ClamAV must not report goes behind --allow or --warning:", path);
    }
    arguments->requests[arguments->n_requests++] = (struct list_request){
        .path = path, .name = arguments->name, .role = role, .format = arguments->format};
    return -1;
}

static int format_take(struct arguments *arguments, const char *name)
{
    for (int i = 0; i < FEED_N_FORMATS; i++) {
        if (strcmp(feed_format_name((enum feed_format)i), name) == 0) {
            arguments->format = (enum feed_format)i;
            return -1;
        }
    }
    return usage("there is no format", name);
}

enum {
    OPTION_OUTPUT = 256,
    OPTION_DENY,
    OPTION_ALLOW,
    OPTION_WARNING,
    OPTION_TEST,
    OPTION_FORMAT,
    OPTION_NAME,
    OPTION_ALL_IDS,
    OPTION_JSON,
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"deny", required_argument, NULL, OPTION_DENY},
    {"allow", required_argument, NULL, OPTION_ALLOW},
    {"warning", required_argument, NULL, OPTION_WARNING},
    {"test", required_argument, NULL, OPTION_TEST},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"name", required_argument, NULL, OPTION_NAME},
    {"all-ids", no_argument, NULL, OPTION_ALL_IDS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int take_option(struct arguments *arguments, int option, char **argv)
{
    switch (option) {
    case 1: /* not an option */
    case OPTION_DENY:
        return input_add(arguments, FEED_DENY, optarg);
    case OPTION_ALLOW:
        return input_add(arguments, FEED_ALLOW, optarg);
    case OPTION_WARNING:
        return input_add(arguments, FEED_WARNING, optarg);
    case OPTION_TEST:
        return input_add(arguments, FEED_TEST, optarg);
    case OPTION_FORMAT:
        return format_take(arguments, optarg);
    case OPTION_NAME:
        arguments->name = optarg;
        return -1;
    case OPTION_OUTPUT:
        arguments->output = optarg;
        return -1;
    case OPTION_ALL_IDS:
        arguments->takes_all_ids = true;
        return -1;
    case OPTION_JSON:
        arguments->is_json = true;
        return -1;
    case 'h':
        fputs(usage_text, stdout);
        return fflush(stdout) == 0 ? EXIT_ACCEPTED : EXIT_NOT_DONE;
    case ':':
        return usage("an option needs a value:", argv[optind - 1]);
    }
    return usage("there is no option", argv[optind - 1]);
}

static int take_arguments(struct arguments *arguments, int argc, char **argv)
{
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "-:h", long_options, NULL)) != -1) {
        int r = take_option(arguments, option, argv);

        if (r >= 0) {
            return r;
        }
    }
    for (; optind < argc; optind++) { /* behind "--" */
        int r = input_add(arguments, FEED_DENY, argv[optind]);

        if (r >= 0) {
            return r;
        }
    }
    return -1;
}

/* The time that goes into the file; packages are built the same twice with SOURCE_DATE_EPOCH. */
static uint64_t now(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");

    return text && *text != '\0' ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
}

static int say(const struct list_build *build, const struct arguments *arguments,
               const struct list_header *header)
{
    int r = 0;

    if (arguments->is_json) {
        r = report_json(build, arguments->output, header, stdout);
    } else {
        report_table(build, arguments->output, header, stdout);
    }
    report_broken(build, stderr);
    if (r < 0 || fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "pes definitions: the output could not be written\n");
        return -1;
    }
    return 0;
}

static int build_list(const struct arguments *arguments)
{
    static struct list_build build;
    struct list_totals totals;
    struct list_header header;
    char error[512];
    bool has_list;
    int status;

    build.sink.takes_all_ids = arguments->takes_all_ids;
    build.sink.now = now();
    if (list_build_read(&build, arguments->requests, arguments->n_requests) < 0) {
        if (build.failed) {
            report_broken(&build, stderr);
            report_failure(build.failed, stderr);
        }
        fprintf(stderr, "pes definitions: no list was written%s\n",
                build.failed ? ": an input cannot be used" : ", out of memory");
        list_build_fini(&build);
        return EXIT_NOT_DONE;
    }
    list_build_totals(&build, &totals);
    has_list = totals.n_accepted > 0;
    if (has_list && list_write(&build.sink.listed, build.sources, build.n_sources, build.sink.now,
                               arguments->output, &header, error, sizeof(error)) < 0) {
        fprintf(stderr, "pes definitions: no list was written: %s\n", error);
        list_build_fini(&build);
        return EXIT_NOT_DONE;
    }
    status = !has_list ? EXIT_NOTHING : totals.n_refused > 0 ? EXIT_REFUSED : EXIT_ACCEPTED;
    if (say(&build, arguments, has_list ? &header : NULL) < 0) {
        status = EXIT_NOT_DONE;
    }
    list_build_fini(&build);
    return status;
}

static int check_list(const char *path)
{
    struct list_file list = LIST_FILE_INIT;
    char error[LIST_ERROR_BYTES];
    char safe[512];
    const char *wrong;

    report_safe(safe, sizeof(safe), path);
    if (list_file_open(&list, path, error) < 0) {
        fprintf(stderr, "pes definitions: %s\n", error);
        return EXIT_NOT_DONE;
    }
    wrong = list_file_verify(&list);
    if (wrong) {
        fprintf(stderr, "pes definitions: %s: %s; make it again\n", safe, wrong);
    } else {
        printf("%s: sound; %llu denied, %llu allowed, %llu for tests, %llu sources\n", safe,
               (unsigned long long)list.header.n_actions[LIST_DENY],
               (unsigned long long)list.header.n_actions[LIST_ALLOW],
               (unsigned long long)list.header.n_actions[LIST_TEST],
               (unsigned long long)list.header.n_sources);
    }
    list_file_fini(&list);
    return wrong ? EXIT_NOT_DONE : EXIT_ACCEPTED;
}

static int check_lists(const struct arguments *arguments)
{
    int status = EXIT_ACCEPTED;

    for (size_t i = 0; i < arguments->n_requests; i++) {
        int r = check_list(arguments->requests[i].path);

        status = r == EXIT_ACCEPTED ? status : r;
    }
    return fflush(stdout) == 0 ? status : EXIT_NOT_DONE;
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    bool is_build = argc >= 2 && strcmp(argv[1], "build") == 0;
    int r;

    if (argc < 2 || (!is_build && strcmp(argv[1], "check") != 0 && argv[1][0] != '-')) {
        return usage("say what to do: build or check", "");
    }
    r = take_arguments(&arguments, argc - (argv[1][0] != '-'), argv + (argv[1][0] != '-'));
    if (r >= 0) {
        return r;
    }
    if (argv[1][0] == '-') {
        return usage("say what to do first: build or check", "");
    }
    if (arguments.n_requests == 0) {
        return usage(is_build ? "name an input" : "name a list", "");
    }
    if (!is_build) {
        return check_lists(&arguments);
    }
    if (!arguments.output) {
        return usage("say where to put the list: --output FILE", "");
    }
    return build_list(&arguments);
}

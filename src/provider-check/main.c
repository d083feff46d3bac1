/*
 * pes-provider-check: puts a provider module through the conformance suite.
 *
 * `pes provider check` runs it. Exit status: 0 everything passed, 1 something did not, 2 the suite
 * could not be run, 64 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "provider-check/certificate.h"

#define EXIT_PASSED  0
#define EXIT_FAILED  1
#define EXIT_NOT_RUN 2
#define EXIT_USAGE   64

#define SETTINGS_MAX      32
#define ANSWER_TIMEOUT_MS 10000

struct arguments {
    struct subject_options subject;
    const char *settings[SETTINGS_MAX + 1];
    size_t n_settings;
    bool wants_json;
    bool wants_table;
    char init_path[PATH_MAX];
    char host_path[PATH_MAX];
};

static const char usage_text[] =
    "usage: pes-provider-check [OPTION]... MODULE\n"
    "\n"
    "Starts the provider MODULE (a shared object) as the daemon would, asks it a few thousand\n"
    "questions and says what it did. Nothing of it is loaded into this process.\n"
    "\n"
    "  --definitions PATH   where its definitions are\n"
    "  --option KEY=VALUE   an option of its configuration; may be repeated\n"
    "  --memory-mib N       address space as in its configuration (512)\n"
    "  --scratch-mib N      a folder for temporary files of this size (none)\n"
    "  --json               print the certificate as JSON; the default unless on a terminal\n"
    "  --table              print a table; the default on a terminal\n"
    "  --timeout-ms N       time for an answer about small contents (10000)\n"
    "  --init PATH          use this pes-init instead of the one beside this program\n"
    "  --host PATH          use this pes-host\n"
    "  --help               this text\n"
    "\n"
    "Exit status: 0 all checks passed, 1 some failed, 2 could not be run, 64 usage.\n";

static int usage(const char *why)
{
    fprintf(stderr, "pes-provider-check: %s; see --help\n", why);
    return EXIT_USAGE;
}

/* The other programs lie in the same folder. */
static int sibling_path(const char *name, char ret_path[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (n < 0) {
        return -errno;
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash ||
        snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)(slash - self), self, name) >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    return 0;
}

enum {
    OPTION_DEFINITIONS = 256,
    OPTION_OPTION,
    OPTION_MEMORY,
    OPTION_SCRATCH,
    OPTION_JSON,
    OPTION_TABLE,
    OPTION_TIMEOUT,
    OPTION_INIT,
    OPTION_HOST,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"definitions", required_argument, NULL, OPTION_DEFINITIONS},
    {"option", required_argument, NULL, OPTION_OPTION},
    {"memory-mib", required_argument, NULL, OPTION_MEMORY},
    {"scratch-mib", required_argument, NULL, OPTION_SCRATCH},
    {"json", no_argument, NULL, OPTION_JSON},
    {"table", no_argument, NULL, OPTION_TABLE},
    {"timeout-ms", required_argument, NULL, OPTION_TIMEOUT},
    {"init", required_argument, NULL, OPTION_INIT},
    {"host", required_argument, NULL, OPTION_HOST},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_mib(const char *text, uint32_t *ret_mib)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || strchr(text, '-') || value < 1 || value > 65536) {
        return false;
    }
    *ret_mib = (uint32_t)value;
    return true;
}

/* Takes in one option. Returns -1, or the status to exit with. */
static int take_option(struct arguments *arguments, int option)
{
    switch (option) {
    case OPTION_DEFINITIONS:
        arguments->subject.definitions = optarg;
        return -1;
    case OPTION_OPTION:
        if (!strchr(optarg, '=') || arguments->n_settings == SETTINGS_MAX) {
            return usage("--option takes KEY=VALUE, at most 32 times");
        }
        arguments->settings[arguments->n_settings++] = optarg;
        return -1;
    case OPTION_MEMORY:
        if (!take_mib(optarg, &arguments->subject.memory_mib)) {
            return usage("--memory-mib takes a number from 1 to 65536");
        }
        return -1;
    case OPTION_SCRATCH:
        if (!take_mib(optarg, &arguments->subject.scratch_mib)) {
            return usage("--scratch-mib takes a number from 1 to 65536");
        }
        return -1;
    case OPTION_JSON:
        arguments->wants_json = true;
        return -1;
    case OPTION_TABLE:
        arguments->wants_table = true;
        return -1;
    case OPTION_TIMEOUT:
        arguments->subject.answer_timeout_ms = atoi(optarg);
        if (arguments->subject.answer_timeout_ms < 1) {
            return usage("--timeout-ms takes a number of milliseconds");
        }
        return -1;
    case OPTION_INIT:
        snprintf(arguments->init_path, PATH_MAX, "%s", optarg);
        return -1;
    case OPTION_HOST:
        snprintf(arguments->host_path, PATH_MAX, "%s", optarg);
        return -1;
    case OPTION_HELP:
        fputs(usage_text, stdout);
        return EXIT_PASSED;
    }
    return EXIT_USAGE; /* getopt_long() has said why */
}

static int take_arguments(struct arguments *arguments, int argc, char **argv)
{
    int option;
    int r;

    arguments->subject.answer_timeout_ms = ANSWER_TIMEOUT_MS;
    if (sibling_path("pes-init", arguments->init_path) < 0 ||
        sibling_path("pes-host", arguments->host_path) < 0) {
        fprintf(stderr, "pes-provider-check: cannot tell where it is installed\n");
        return EXIT_NOT_RUN;
    }
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        r = take_option(arguments, option);
        if (r >= 0) {
            return r;
        }
    }
    if (optind != argc - 1) {
        return usage("one MODULE is needed");
    }
    arguments->subject.module_path = argv[optind];
    arguments->subject.settings = arguments->settings;
    arguments->subject.init_path = arguments->init_path;
    arguments->subject.host_path = arguments->host_path;
    return -1;
}

static int module_digest(const char *path, uint8_t ret_digest[SHA256_DIGEST_BYTES])
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t bytes[16384];
    struct sha256 hash;
    struct stat info;
    ssize_t n;

    if (fd < 0 || fstat(fd, &info) < 0) {
        return -errno;
    }
    if (!S_ISREG(info.st_mode)) {
        return S_ISDIR(info.st_mode) ? -EISDIR : -EINVAL;
    }
    sha256_init(&hash);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
        sha256_update(&hash, bytes, (size_t)n);
    }
    if (n < 0) {
        return -errno;
    }
    sha256_final(&hash, ret_digest);
    return 0;
}

static int check(const struct arguments *arguments)
{
    static struct check_report report;
    uint8_t digest[SHA256_DIGEST_BYTES];
    CLEANUP(subject_fini) struct subject subject = SUBJECT_INIT;
    struct certificate certificate = {
        .module_path = arguments->subject.module_path,
        .digest = digest,
        .subject = &subject,
        .report = &report,
    };
    int r = module_digest(arguments->subject.module_path, digest);

    if (r < 0) {
        fprintf(stderr, "pes-provider-check: '%s': %s\n", arguments->subject.module_path,
                strerror(-r));
        return EXIT_NOT_RUN;
    }
    r = checks_run(&subject, &arguments->subject, &report);
    if (r < 0) {
        fprintf(stderr, "pes-provider-check: cannot start '%s': %s\n", arguments->subject.init_path,
                strerror(-r));
        return EXIT_NOT_RUN;
    }
    if (!arguments->wants_json && (arguments->wants_table || isatty(STDOUT_FILENO))) {
        certificate_print_table(&certificate, stdout);
    } else if (certificate_print_json(&certificate, stdout) < 0) {
        fprintf(stderr, "pes-provider-check: the certificate cannot be written\n");
        return EXIT_NOT_RUN;
    }
    return report.n_failed == 0 ? EXIT_PASSED : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    int r;

    signal(SIGPIPE, SIG_IGN);
    r = take_arguments(&arguments, argc, argv);
    return r >= 0 ? r : check(&arguments);
}

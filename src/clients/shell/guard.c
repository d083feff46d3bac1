/*
 * pes-shell-guard: asks pes about a pasted command line, on behalf of the hooks for bash and zsh.
 *
 *     pes-shell-guard init bash|zsh      prints what ~/.bashrc or ~/.zshrc evaluates
 *     pes-shell-guard ask [OPTION...]    asks about the line on standard input
 *
 * `ask` exits 0: run it; 1: do not; 64: usage; anything else: the guard failed, and the hook does
 * not run the line. The person reads and decides on the controlling terminal; standard input is the
 * line. The line comes through a pipe, never as an argument, where other users could read it.
 *
 * Promises: says nothing and lets everything run when pes is not installed. What happens when it is
 * installed and down is the client policy's to say; the library asks it. Leaves out how a paste is
 * told from typing: that is the hooks'.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <pes/pes.h>

#include "base/cleanup.h"
#include "clients/shell/confirm.h"
#include "clients/shell/notice.h"

#define EXIT_RUN    0
#define EXIT_REFUSE 1
#define EXIT_FAILED 2
#define EXIT_USAGE  64

#define TIMEOUT_MS 800
#define LINE_BYTES_MAX                                                                             \
    (101u << 20) /* one more than the service takes, so that it says so itself  \
                                     */
#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX     100

struct options {
    const char *shell;
    const char *shell_version;
    const char *session;
    uint64_t sequence;
    uint32_t timeout_ms;
};

static int usage(FILE *out)
{
    fputs("usage: pes-shell-guard init bash|zsh\n"
          "       pes-shell-guard ask [--shell NAME] [--shell-version V] [--session ID] "
          "[--sequence N]\n"
          "                           [--timeout-ms N] < LINE\n",
          out);
    return EXIT_USAGE;
}

/* The folder of the hooks, found from the place of this program, so that a tree can be moved. */
static int hook_folder(char program[PATH_MAX], char folder[PATH_MAX])
{
    char unresolved[PATH_MAX + sizeof(SHELL_FOLDER)];
    ssize_t n = readlink("/proc/self/exe", program, PATH_MAX - 1);
    char *slash;

    if (n < 0) {
        return -errno;
    }
    program[n] = '\0';
    slash = strrchr(program, '/');
    if (!slash) {
        return -ENOENT;
    }
    snprintf(unresolved, sizeof(unresolved), "%.*s/%s", (int)(slash - program), program,
             SHELL_FOLDER);
    return realpath(unresolved, folder) ? 0 : -errno;
}

/* Prints a word in single quotes, as both shells read it. */
static void print_quoted(const char *word)
{
    putchar('\'');
    for (; *word; word++) {
        if (*word == '\'') {
            fputs("'\\''", stdout);
        } else {
            putchar(*word);
        }
    }
    putchar('\'');
}

static int cmd_init(int argc, char **argv)
{
    char program[PATH_MAX], folder[PATH_MAX], hook[PATH_MAX + 16];
    int r;

    if (argc != 2 || (strcmp(argv[1], "bash") != 0 && strcmp(argv[1], "zsh") != 0)) {
        return usage(stderr);
    }
    r = hook_folder(program, folder);
    if (r < 0) {
        fprintf(stderr, "pes-shell-guard: its hooks are not installed: %s\n", strerror(-r));
        return EXIT_FAILED;
    }
    snprintf(hook, sizeof(hook), "%s/guard.%s", folder, argv[1]);
    fputs("__pes_guard=", stdout);
    print_quoted(program);
    fputs("\n. ", stdout);
    print_quoted(hook);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

/* Reads standard input to its end, at most LINE_BYTES_MAX. Returns 0 or -errno. */
static int read_line(char **ret_line, size_t *ret_n_bytes)
{
    CLEANUP(freep) char *line = NULL;
    size_t n_bytes = 0, n_room = 0;

    for (;;) {
        ssize_t n;

        if (n_bytes == n_room) {
            char *larger;

            if (n_room >= LINE_BYTES_MAX) {
                break;
            }
            n_room = n_room ? n_room * 2 : 4096;
            larger = realloc(line, n_room);
            if (!larger) {
                return -ENOMEM;
            }
            line = larger;
        }
        n = read(STDIN_FILENO, line + n_bytes, n_room - n_bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        n_bytes += (size_t)n;
    }
    *ret_line = TAKE_PTR(line);
    *ret_n_bytes = n_bytes;
    return 0;
}

static unsigned terminal_columns(int tty)
{
    struct winsize size;

    if (ioctl(tty, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) {
        return COLUMNS_DEFAULT;
    }
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* A request with everything that is known about the line. Its parts are wishes: what does not fit
 * is left out. */
static struct pes_request *make_request(struct pes_ctx *ctx, const struct options *options,
                                        const char *line, size_t n_line)
{
    struct pes_request *request = pes_request_new(ctx, PES_KIND_COMMAND_PASTED);

    pes_request_number(request, PES_TRIGGER_REASON, PES_REASON_PASTE);
    pes_request_number(request, PES_TRIGGER_USER_GESTURE, 1);
    pes_request_number(request, PES_TRIGGER_INTERACTIVE, 1);
    pes_request_number(request, PES_TRIGGER_USE, PES_USE_EXECUTE);
    pes_request_text(request, PES_TRIGGER_SINK_PROCESS, options->shell);
    pes_request_text(request, PES_SUBJECT_LANGUAGE, options->shell);
    pes_request_text(request, PES_CLAIMED_COMPONENT, "pes-shell-guard " PES_VERSION);
    if (options->session[0] != '\0') {
        pes_request_text(request, PES_CORRELATION_SESSION, options->session);
        pes_request_number(request, PES_CORRELATION_SEQUENCE, options->sequence);
    }
    pes_request_latency(request, PES_LATENCY_INTERACTIVE);
    pes_request_fail_wish(request, PES_FAIL_WISH_WARN);
    pes_request_flags(request, PES_SCAN_WANT_DETAILS);
    pes_request_timeout_ms(request, options->timeout_ms);
    /* When the content cannot be taken in, the answer to the empty request says why. */
    (void)pes_request_bytes(request, line, n_line);
    return request;
}

/* Shows the answer and lets the person decide where the answer leaves it to them. */
static enum pes_did decide(const struct notice *notice, FILE *out, int tty)
{
    switch (pes_answer_action(notice->answer)) {
    case PES_GO:
        notice_write_passed(notice, out);
        fflush(out);
        return PES_DID_RUN;
    case PES_ASK:
        notice_write(notice, out);
        fflush(out);
        switch (confirm(tty, "  Run it anyway?")) {
        case CONFIRM_YES:
            return PES_DID_USER_OVERRODE;
        case CONFIRM_NO:
            return PES_DID_REFUSE;
        case CONFIRM_GAVE_UP:
            return PES_DID_USER_CANCELLED;
        }
        return PES_DID_REFUSE;
    case PES_STOP:
        break;
    }
    notice_write(notice, out);
    fflush(out);
    return PES_DID_REFUSE;
}

/* An interrupt would end the shell's hook, too, and with it the line would be lost. It is read as a
 * key while the person decides, and means nothing while the service is asked, which is not long. */
static bool hold_interrupts(int tty, struct termios *ret_before)
{
    struct termios quiet;

    if (tty < 0 || tcgetattr(tty, ret_before) < 0) {
        return false;
    }
    quiet = *ret_before;
    quiet.c_lflag &= ~(tcflag_t)ISIG;
    return tcsetattr(tty, TCSANOW, &quiet) == 0;
}

static int ask_on(int tty, const struct options *options)
{
    CLEANUP(freep) char *line = NULL;
    struct notice notice = {.columns = terminal_columns(tty)};
    uint32_t can = PES_CAN_STOP | (tty >= 0 ? PES_CAN_ASK : 0);
    struct pes_answer *answer;
    struct pes_ctx *ctx;
    enum pes_did did;
    FILE *out = tty >= 0 ? fdopen(dup(tty), "w") : stderr;
    int r;

    r = read_line(&line, &notice.n_line);
    if (r < 0 || !out) {
        fprintf(stderr, "pes-shell-guard: cannot read the line: %s\n",
                strerror(r < 0 ? -r : errno));
        return EXIT_FAILED;
    }
    ctx = pes_open(options->shell, options->shell_version, can);
    answer = pes_ask(make_request(ctx, options, line, notice.n_line));
    notice.answer = answer;
    notice.line = line;
    did = decide(&notice, out, tty);
    pes_answer_close(answer, did);
    pes_close(ctx);
    return did == PES_DID_RUN || did == PES_DID_USER_OVERRODE ? EXIT_RUN : EXIT_REFUSE;
}

static int ask(const struct options *options)
{
    CLEANUP(closep) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;
    bool is_held = hold_interrupts(tty, &before);
    int status = ask_on(tty, options);

    if (is_held) {
        (void)tcsetattr(tty, TCSANOW, &before);
    }
    return status;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number > max || text[0] == '-') {
        return false;
    }
    *ret_number = number;
    return true;
}

static int cmd_ask(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"shell", required_argument, NULL, 's'},
        {"shell-version", required_argument, NULL, 'v'},
        {"session", required_argument, NULL, 'i'},
        {"sequence", required_argument, NULL, 'n'},
        {"timeout-ms", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {"sh", "", "", 0, TIMEOUT_MS};
    uint64_t number;
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 's':
            options.shell = optarg;
            break;
        case 'v':
            options.shell_version = optarg;
            break;
        case 'i':
            options.session = optarg;
            break;
        case 'n':
            if (!parse_number(optarg, UINT64_MAX, &options.sequence)) {
                return usage(stderr);
            }
            break;
        case 't':
            if (!parse_number(optarg, 60000, &number)) {
                return usage(stderr);
            }
            options.timeout_ms = (uint32_t)number;
            break;
        default:
            return usage(stderr);
        }
    }
    return optind == argc ? ask(&options) : usage(stderr);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "init") == 0) {
        return cmd_init(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "ask") == 0) {
        return cmd_ask(argc - 1, argv + 1);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("pes-shell-guard " PES_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    return usage(stderr);
}

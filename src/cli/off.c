/*
 * pes off, pes on: nothing is stopped for a while.
 *
 * Writes one file into the service's runtime folder and talks to nobody, so that it works whatever
 * state the service is in; who reads it stands in base/off_state.h. Who may write there decides who
 * may do it: root, or the user whose own service it is. It says in the system's log who did it, by
 * the login and not by the uid, which sudo changes. It always has an end.
 */
#include "cli/off.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/human.h"
#include "cli/outcome.h"
#include "cli/service.h"

static const struct {
    const char *name;
    uint64_t seconds;
} units[] = {{"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};

/* "90s", "15min", "1h": from a second to a day. */
static bool parse_time(const char *text, uint64_t *ret_seconds)
{
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9' && number <= OFF_STATE_SECONDS_MAX; text++) {
        number = number * 10 + (uint64_t)(*text - '0');
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text, units[i].name) == 0) {
            *ret_seconds = number * units[i].seconds;
            return *ret_seconds > 0 && *ret_seconds <= OFF_STATE_SECONDS_MAX;
        }
    }
    return false;
}

/* Who logged in, which a change of user leaves as it is (proc(5)); without that, who we are. */
static uint32_t who(void)
{
    FILE *file = fopen("/proc/self/loginuid", "re");
    uint32_t uid = UINT32_MAX;

    if (file) {
        if (fscanf(file, "%" SCNu32, &uid) != 1) {
            uid = UINT32_MAX;
        }
        fclose(file);
    }
    return uid != UINT32_MAX ? uid : getuid();
}

/* Says it to the log of the machine: the service may not be there to do so. */
static void audit(const char *event, uint32_t uid, uint64_t seconds)
{
    openlog("pes", LOG_PID, LOG_AUTHPRIV);
    if (seconds > 0) {
        syslog(LOG_WARNING, "%s: nothing is stopped for the next %" PRIu64 " s, by uid %" PRIu32,
               event, seconds, uid);
    } else {
        syslog(LOG_NOTICE, "%s: by uid %" PRIu32, event, uid);
    }
    closelog();
}

static int fail(const char *folder, int error)
{
    if (error == EACCES || error == EPERM || error == EROFS) {
        fprintf(stderr, "pes: only %s may do this (in %s): try 'sudo pes ...'\n",
                strcmp(folder, SERVICE_SYSTEM_FOLDER) == 0 ? "root" : "the service's user", folder);
    } else {
        fprintf(stderr, "pes: %s cannot be written: %s\n", folder, strerror(error));
    }
    return EXIT_NOT_ASKED;
}

static int no_folder(void)
{
    fprintf(stderr, "pes: there is no service here to switch: no folder %s\n",
            SERVICE_SYSTEM_FOLDER);
    return EXIT_NOT_ASKED;
}

const char *off_text(char ret_text[static OFF_TEXT_BYTES], const struct off_state *state)
{
    char left[HUMAN_BYTES];
    uint64_t now_s = off_state_now_s();
    uint64_t left_s = state->until_s > now_s ? state->until_s - now_s : 0;
    time_t until = time(NULL) + (time_t)left_s;
    struct tm tm;
    char clock[32] = "?";

    if (localtime_r(&until, &tm)) {
        strftime(clock, sizeof(clock), "%H:%M", &tm);
    }
    snprintf(ret_text, OFF_TEXT_BYTES, "until %s, for %s more, by uid %" PRIu32, clock,
             human_duration(left, (double)left_s), state->by_uid);
    return ret_text;
}

int off_find(struct off_state *ret)
{
    CLEANUP(freep) char *folder = service_folder_dup();

    return folder ? off_state_load(ret, folder) : OFF_STATE_E_NONE;
}

static int switch_off(uint64_t seconds)
{
    CLEANUP(freep) char *folder = service_folder_dup();
    struct off_state state = {.until_s = off_state_now_s() + seconds, .by_uid = who()};
    char text[OFF_TEXT_BYTES];
    int r;

    if (!folder) {
        return no_folder();
    }
    r = off_state_store(folder, &state);
    if (r == OFF_STATE_E_REFUSED) {
        fprintf(stderr,
                "pes: %s belongs to another user, or others may write to it: run this as its "
                "owner\n",
                folder);
        return EXIT_NOT_ASKED;
    }
    if (r < 0) {
        return fail(folder, -r);
    }
    audit("switched-off", state.by_uid, seconds);
    printf("Nothing is stopped %s.\nWhat is found is still counted. 'pes on' ends it.\n",
           off_text(text, &state));
    return command_finish(EXIT_CLEAN);
}

static int run_off(int argc, char **argv)
{
    static const struct option options[] = {
        {"for", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint64_t seconds = 0;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
        switch (option) {
        case 'f':
            if (!parse_time(optarg, &seconds)) {
                return command_usage("off", "--for takes a time such as 15min or 1h, up to 24h");
            }
            break;
        case 'h':
            return command_print_help(&command_off);
        default:
            return command_bad_option("off", option, argv);
        }
    }
    if (optind < argc) {
        return command_usage("off", "'%s' is more than it takes", argv[optind]);
    }
    if (seconds == 0) {
        return command_usage("off", "say for how long, such as --for 1h");
    }
    return switch_off(seconds);
}

static int run_on(int argc, char **argv)
{
    CLEANUP(freep) char *folder = service_folder_dup();
    int r;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return command_print_help(&command_on);
    }
    if (argc > 1) {
        return command_usage("on", "'%s' is more than it takes", argv[1]);
    }
    if (!folder) {
        return no_folder();
    }
    r = off_state_remove(folder);
    if (r < 0) {
        return fail(folder, -r);
    }
    if (r == 0) {
        audit("switched-on", who(), 0);
    }
    puts(r == 0 ? "The configured mode is in force again." : "It was not switched off.");
    return command_finish(EXIT_CLEAN);
}

static const char off_help_text[] =
    "Usage: pes off --for TIME\n"
    "\n"
    "Stops nothing for a while, whatever the configured mode: what is found is only\n"
    "counted. Ends by itself, also by a reboot, and sooner by 'pes on'. Works when the\n"
    "service does not run, too. Needs root, or for one's own service its user.\n"
    "\n"
    "      --for TIME       how long: '90s' or '15min' or '1h'; at most 24h\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, or 2 when it could not be done. 64 wrong use.\n";

static const char on_help_text[] =
    "Usage: pes on\n"
    "\n"
    "Ends what 'pes off' began: the configured mode is in force again.\n"
    "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, or 2 when it could not be done. 64 wrong use.\n";

const struct command command_off = {
    .name = "off",
    .summary = "stop nothing for a while",
    .help = off_help_text,
    .run = run_off,
};

const struct command command_on = {
    .name = "on",
    .summary = "end that",
    .help = on_help_text,
    .run = run_on,
};

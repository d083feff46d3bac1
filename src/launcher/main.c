/*
 * pesd: starts the processes of pes and keeps them running.
 *
 * It reads its configuration, makes the sockets, and starts the broker, its helpers, and one
 * pes-init for each provider. It never reads a byte from a client or of content: what it is sent
 * is a handful of fixed messages from its own children. SIGHUP reads the configuration again,
 * SIGUSR2 replaces the broker by the one that is installed now, SIGTERM and SIGINT end everything.
 * Whatever ends the launcher ends the rest with it.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>

#include <pes/version.h>

#include "launcher/drop.h"
#include "launcher/launcher.h"
#include "launcher/off.h"
#include "launcher/options.h"
#include "log/log.h"

#define EXIT_USAGE 64

/* Folders that the options or the surroundings name, made absolute: we leave the current one. */
struct folders {
    char config[PATH_MAX];
    char runtime[PATH_MAX];
    bool has_config;
};

static int make_absolute(char ret[PATH_MAX], const char *path)
{
    char here[PATH_MAX];

    if (path[0] != '/' && !getcwd(here, sizeof(here))) {
        return -errno;
    }
    return paths_join(ret, here, path);
}

/* A user's own configuration, if there is one. Not root's, for a pesd that root started. */
static bool find_user_config(char ret[PATH_MAX], bool has_dropped)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char folder[PATH_MAX];
    char file[PATH_MAX];

    if (has_dropped) {
        return false;
    }
    if (base && base[0] == '/') {
        snprintf(folder, sizeof(folder), "%s/pes", base);
    } else if (home && home[0] == '/') {
        snprintf(folder, sizeof(folder), "%s/.config/pes", home);
    } else {
        return false;
    }
    if (paths_join(file, folder, "pes.conf") < 0 || access(file, F_OK) < 0) {
        return false;
    }
    memcpy(ret, folder, sizeof(folder));
    return true;
}

static int find_config(struct folders *folders, const struct options *options, bool has_dropped)
{
    folders->has_config = true;
    if (options->config) {
        return make_absolute(folders->config, options->config);
    }
    if (options->is_user) {
        folders->has_config = find_user_config(folders->config, has_dropped);
        return 0;
    }
    return paths_join(folders->config, "/", PES_CONFIG_FOLDER);
}

static int find_runtime(struct folders *folders, const struct options *options, bool has_dropped)
{
    const char *base = getenv("XDG_RUNTIME_DIR");

    if (options->runtime) {
        return make_absolute(folders->runtime, options->runtime);
    }
    if (!options->is_user) {
        return paths_join(folders->runtime, "/", "/run/pes");
    }
    if (has_dropped || !base || base[0] != '/') {
        return -ENOENT;
    }
    return paths_join(folders->runtime, base, "pes");
}

static void print_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems_n_kept(problems); i++) {
        puts(problems->lines[i]);
    }
    if (problems->n > problems_n_kept(problems)) {
        printf("and %zu more\n", problems->n - problems_n_kept(problems));
    }
}

static int check_config(struct launcher *launcher)
{
    int r = config_load(&launcher->config, &launcher->place, &launcher->problems);
    const char *folder = launcher->place.folder ? launcher->place.folder : "built-in configuration";

    if (r != 0) {
        print_problems(&launcher->problems);
        return EXIT_FAILURE;
    }
    printf("%s: ok: %zu providers, %zu rules\n", folder, launcher->config.n_providers,
           launcher->config.n_rules);
    config_fini(&launcher->config);
    return EXIT_SUCCESS;
}

static int load_config(struct launcher *launcher)
{
    int r = config_load(&launcher->config, &launcher->place, &launcher->problems);

    for (size_t i = 0; i < problems_n_kept(&launcher->problems); i++) {
        log_event(LOG_ERR, EV_CONFIG_REFUSED, "%s", launcher->problems.lines[i]);
    }
    if (r != 0) {
        log_event(LOG_ERR, EV_CONFIG_REFUSED, "not started: the configuration has mistakes");
    }
    return r;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct launcher *launcher = userdata;

    if (info->ssi_signo == SIGHUP) {
        launcher_reload(launcher);
    } else if (info->ssi_signo == SIGUSR2) {
        launcher_upgrade(launcher);
    } else {
        launcher_stop(launcher);
    }
    return 0;
}

static int make_loop(struct launcher *launcher)
{
    static const int handled[] = {SIGHUP, SIGUSR2, SIGTERM, SIGINT};
    sigset_t blocked;
    int r = sd_event_new(&launcher->event);

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD); /* sd-event wants it so, though it watches by pidfd */
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
        sigaddset(&blocked, handled[i]);
    }
    if (r >= 0 && sigprocmask(SIG_BLOCK, &blocked, NULL) < 0) {
        r = -errno;
    }
    for (size_t i = 0; r >= 0 && i < sizeof(handled) / sizeof(handled[0]); i++) {
        r = sd_event_add_signal(launcher->event, NULL, handled[i], on_signal, launcher);
    }
    if (r >= 0) {
        r = sd_event_set_watchdog(launcher->event, true);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return r < 0 ? r : 0;
}

static int serve(struct launcher *launcher, const char *runtime)
{
    char why[SOCKETS_WHY_BYTES_MAX];
    int r = make_loop(launcher);

    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "no event loop: %s", strerror(-r));
        return EXIT_FAILURE;
    }
    if (sockets_open(&launcher->sockets, runtime, launcher->place.is_system, why) != 0) {
        log_event(LOG_ERR, EV_START, "not started: %s", why);
        return EXIT_FAILURE;
    }
    /* Forced, everything is as on an older kernel: descriptors come in, as far as the receiver. */
    launcher->has_receiver =
        secure_getenv("PES_FORCE_RECEIVER") || !sockets_refuse_descriptors(&launcher->sockets);
    if (launcher_start(launcher) < 0) {
        return EXIT_FAILURE; /* it was logged */
    }
    r = sd_event_loop(launcher->event);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "the event loop failed: %s", strerror(-r));
    }
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void launcher_fini(struct launcher *launcher)
{
    launcher->is_stopping = true;
    front_free(TAKE_PTR(launcher->front));
    providers_fini(&launcher->providers);
    sockets_fini(&launcher->sockets);
    config_fini(&launcher->config);
    sd_event_source_disable_unref(launcher->stop_timer);
    off_fini(launcher);
    sd_event_unref(launcher->event);
    closep(&launcher->ready_fd);
}

/* 0, 1 and 2 are open, and nothing but the activation sockets is inherited by whom we start. */
static int tidy_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd >= 0 && fd <= 2) {
            (void)fcntl(fd, F_SETFD, 0);
        }
    } while (fd >= 0 && fd <= 2);
    if (fd < 0) {
        return -errno;
    }
    close(fd);
    return syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* Becomes who we are to be; says whether root was given up. */
static int become_user(const struct options *options, bool *ret_has_dropped)
{
    char why[DROP_WHY_BYTES_MAX];

    *ret_has_dropped = false;
    if (!options->is_user && geteuid() != 0 && !options->checks_config) {
        log_event(LOG_ERR, EV_START, "not started: root is needed; give --user to run without");
        return -EPERM;
    }
    if (!options->is_user || geteuid() != 0) {
        return 0;
    }
    if (drop_to_user(options->drop_to, why) != 0) {
        log_event(LOG_ERR, EV_START, "not started: cannot become --drop-to '%s': %s",
                  options->drop_to, why);
        return -EPERM;
    }
    *ret_has_dropped = true;
    return 0;
}

static int find_folders(struct folders *folders, const struct options *options, bool has_dropped)
{
    int r = find_config(folders, options, has_dropped);

    if (r < 0) {
        log_event(LOG_ERR, EV_START, "not started: configuration folder: %s", strerror(-r));
        return r;
    }
    r = options->checks_config ? 0 : find_runtime(folders, options, has_dropped);
    if (r == -ENOENT) {
        log_event(LOG_ERR, EV_START, "not started: no runtime folder is known; give --runtime DIR");
    } else if (r < 0) {
        log_event(LOG_ERR, EV_START, "not started: runtime folder: %s", strerror(-r));
    }
    return r;
}

int main(int argc, char **argv)
{
    static struct launcher launcher = {.sockets = SOCKETS_INIT, .ready_fd = -1};
    static struct folders folders;
    struct options options;
    bool has_dropped;
    int r;

    log_init("pesd");
    if (options_parse(&options, argc, argv) != 0) {
        return EXIT_USAGE;
    }
    if (options.shows_help || options.shows_version) {
        printf("%s", options.shows_help ? options_help : "pesd " PES_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (tidy_descriptors() < 0 || become_user(&options, &has_dropped) < 0 ||
        find_folders(&folders, &options, has_dropped) < 0) {
        return EXIT_FAILURE;
    }
    r = paths_init(&launcher.paths);
    if (r < 0) {
        log_event(LOG_ERR, EV_START, "not started: our own place is unknown: %s", strerror(-r));
        return EXIT_FAILURE;
    }
    launcher.place = (struct config_place){
        .paths = &launcher.paths,
        .folder = folders.has_config ? folders.config : NULL,
        .is_system = !options.is_user,
        .allows_unsigned = options.allows_unsigned,
        .mode = options.mode,
    };
    config_init(&launcher.config);
    if (options.checks_config) {
        return check_config(&launcher);
    }
    r = sandbox_not_dumpable();
    if (r < 0) {
        log_event(LOG_ERR, EV_SANDBOX, "not started: memory cannot be kept from others: %s",
                  strerror(-r));
        return EXIT_FAILURE;
    }
    launcher.ready_fd = options.ready_fd;
    launcher.owner_uid = geteuid();
    (void)umask(0077);
    (void)!chdir("/"); /* keep no file system busy */
    r = load_config(&launcher) == 0 ? serve(&launcher, folders.runtime) : EXIT_FAILURE;
    launcher_fini(&launcher);
    return r;
}

/*
 * pes status: is the service there, and in which state.
 *
 * The first line answers the first question: am I protected? Then come the providers, the mode, and
 * what the sandboxes are made of on this kernel. A service that is not there is status 2.
 */
#include <stdio.h>
#include <string.h>

#include <pes/pes.h>

#include "base/cleanup.h"
#include "cli/attention.h"
#include "cli/command.h"
#include "cli/human.h"
#include "cli/json_text.h"
#include "cli/off.h"
#include "cli/outcome.h"
#include "cli/provider_words.h"
#include "cli/service.h"

static void print_off(FILE *out)
{
    struct off_state state;
    char text[OFF_TEXT_BYTES];

    if (off_find(&state) == 0) {
        fprintf(out, "Off:         nothing is stopped %s\n", off_text(text, &state));
    }
}

/* null, or until when. */
static json_t *off_json(void)
{
    struct off_state state;

    if (off_find(&state) != 0) {
        return json_null();
    }
    return json_pack("{s:I, s:I}", "seconds_left", (json_int_t)(state.until_s - off_state_now_s()),
                     "by_uid", (json_int_t)state.by_uid);
}

static json_t *provider_json(const struct pes_provider_info *provider)
{
    return json_pack("{s:o, s:o, s:s, s:o, s:s, s:b}", "name", json_text_or_null(provider->name),
                     "version", json_text_or_null(provider->version), "state",
                     pes_provider_state_name(provider->state), "reason",
                     json_text_or_null(provider->reason), "mode", pes_mode_name(provider->mode),
                     "unsigned", (int)provider->is_unsigned);
}

static int print_json(const struct pes_service *service, const struct pes_service_info *info)
{
    json_t *object = json_pack(
        "{s:s, s:o, s:f, s:b, s:b, s:o, s:o, s:i, s:i, s:I, s:I, s:o}", "mode",
        pes_mode_name(info->mode), "version", json_text_or_null(info->version), "uptime_seconds",
        (double)info->uptime_us / 1e6, "system", (int)info->is_system, "allows_unsigned",
        (int)info->allows_unsigned, "tier", json_text_or_null(info->tier), "fd_guard",
        json_text_or_null(info->fd_guard), "sessions", (int)info->n_sessions, "in_flight",
        (int)info->n_in_flight, "content_bytes", (json_int_t)info->content_bytes,
        "config_generation", (json_int_t)info->config_generation, "config_error",
        json_text_or_null(info->config_error));
    CLEANUP(attention_fini) struct attention attention = ATTENTION_INIT;
    json_t *list = json_array();

    for (uint32_t i = 0; i < info->n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0) {
            json_array_append_new(list, provider_json(&provider));
        }
    }
    if (object) {
        json_object_set_new(object, "providers", list);
        json_object_set_new(object, "off", off_json());
        attention_load(&attention, info->is_system);
        json_object_set_new(object, "definitions_attention", attention_json(&attention));
    }
    return json_print_line(object);
}

static uint32_t count_ready(const struct pes_service *service, uint32_t n_providers)
{
    uint32_t n_ready = 0;

    for (uint32_t i = 0; i < n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0 &&
            provider.state == PES_PROVIDER_STATE_READY) {
            n_ready++;
        }
    }
    return n_ready;
}

static void print_providers(const struct pes_service *service, uint32_t n_providers)
{
    for (uint32_t i = 0; i < n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};
        char words[HUMAN_BYTES];

        if (pes_service_provider(service, i, &provider) == 0) {
            printf("  %s%s%s: %s%s%s%s\n", provider.name, provider.version[0] ? " " : "",
                   provider.version, human_words(words, pes_provider_state_name(provider.state)),
                   provider.is_unsigned ? ", not signed" : "", provider.reason[0] ? ", " : "",
                   provider.reason);
        }
    }
}

static void print_text(const struct pes_service *service, const struct pes_service_info *info)
{
    CLEANUP(attention_fini) struct attention attention = ATTENTION_INIT;
    char text[HUMAN_BYTES];
    uint32_t n_ready = count_ready(service, info->n_providers);

    if (info->n_providers == 0) {
        puts("No provider is there: nothing is being checked.");
    } else {
        printf("%u of %u provider%s answer%s.\n", n_ready, info->n_providers,
               info->n_providers == 1 ? "" : "s", n_ready == 1 ? "s" : "");
    }
    print_providers(service, info->n_providers);
    attention_load(&attention, info->is_system);
    attention_print(&attention, NULL, "Definitions: ");
    printf("Mode:        %s (%s)\n", pes_mode_name(info->mode), mode_words(info->mode));
    print_off(stdout);
    printf("Service:     %s, %s, up %s\n", info->version,
           info->is_system ? "for the system" : "for one user",
           human_duration(text, (double)info->uptime_us / 1e6));
    printf("Sandboxes:   %s\n", info->tier[0] ? info->tier : "not told");
    printf("Descriptors: %s\n", info->fd_guard[0] ? info->fd_guard : "not told");
    printf("Open:        %u connection%s, %u question%s, %s held\n", info->n_sessions,
           info->n_sessions == 1 ? "" : "s", info->n_in_flight, info->n_in_flight == 1 ? "" : "s",
           human_size(text, info->content_bytes));
    if (info->allows_unsigned) {
        puts("Unsigned providers are allowed to run.");
    }
    if (info->config_error[0]) {
        printf("The last change was refused: %s\n", info->config_error);
    }
}

static int run(int argc, char **argv)
{
    CLEANUP(service_freep) struct pes_service *service = NULL;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct command_output output;
    int r = command_parse_output(&command_status, argc, argv, &output);

    if (r != COMMAND_GO) {
        return r;
    }
    if (service_get(&service, 0) < 0) {
        print_off(stderr); /* it is in force without a service, too */
        return EXIT_NOT_ASKED;
    }
    pes_service_info(service, &info);
    if (!output.is_json) {
        print_text(service, &info);
    } else if (print_json(service, &info) < 0) {
        return EXIT_NOT_ASKED;
    }
    return command_finish(EXIT_CLEAN);
}

static const char help_text[] =
    "Usage: pes status [--json]\n"
    "\n"
    "Tells whether the service is there and in which state: its providers, its mode\n"
    "(observe, warn, enforce), how providers are contained, what is under way, and\n"
    "why the last change of its configuration was refused, if it was.\n"
    "\n"
    "      --json           one JSON object on stdout\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, or 2 when the service does not answer. 64 wrong use.\n";

const struct command command_status = {
    .name = "status",
    .summary = "is the service there, and in which state",
    .help = help_text,
    .run = run,
};

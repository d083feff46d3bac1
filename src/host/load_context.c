/*
 * The pes_load_* calls that a module makes while it loads (pes/provider.h).
 *
 * Texts are cut to their bounds and made one line; whoever shows them escapes the rest.
 */
#include "host/load_context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_one_line(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r' || *c == '\t') {
            *c = ' ';
        }
    }
}

const char *pes_load_definitions(const struct pes_load *load)
{
    return load->definitions;
}

const char *pes_load_option(const struct pes_load *load, const char *name)
{
    size_t n_name = strlen(name);

    for (size_t i = 0; i < load->n_settings; i++) {
        if (strncmp(load->settings[i], name, n_name) == 0 && load->settings[i][n_name] == '=') {
            return load->settings[i] + n_name + 1;
        }
    }
    return NULL;
}

const char *pes_load_scratch(const struct pes_load *load)
{
    return load->has_scratch ? "." : NULL; /* each worker stands in its own */
}

void pes_load_version(struct pes_load *load, const char *version)
{
    snprintf(load->version, sizeof(load->version), "%s", version);
    for (char *c = load->version; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            *c = '_';
        }
    }
}

void pes_load_note(struct pes_load *load, const char *format, ...)
{
    size_t n = strlen(load->note);
    va_list args;

    if (n > 0) {
        n += (size_t)snprintf(load->note + n, sizeof(load->note) - n, "; ");
    }
    if (n >= sizeof(load->note)) {
        return;
    }
    va_start(args, format);
    vsnprintf(load->note + n, sizeof(load->note) - n, format, args);
    va_end(args);
    make_one_line(load->note);
}

void pes_load_fail(struct pes_load *load, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(load->failure, sizeof(load->failure), format, args);
    va_end(args);
    make_one_line(load->failure);
}

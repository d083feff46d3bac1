/*
 * Reads golden vectors. The folder comes from the environment (PES_VECTORS, set by meson), so that
 * a test can be pointed at another tree. A malformed file is a fault of ours and aborts the test.
 */
#include "vector.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {
    [WIRE_E_TRUNCATED] = "WIRE_E_TRUNCATED",
    [WIRE_E_VARINT] = "WIRE_E_VARINT",
    [WIRE_E_TAG] = "WIRE_E_TAG",
    [WIRE_E_TYPE] = "WIRE_E_TYPE",
    [WIRE_E_TOO_LONG] = "WIRE_E_TOO_LONG",
    [WIRE_E_TOO_MANY] = "WIRE_E_TOO_MANY",
    [WIRE_E_TWICE] = "WIRE_E_TWICE",
    [WIRE_E_FLAGS] = "WIRE_E_FLAGS",
    [WIRE_E_UNKNOWN_TYPE] = "WIRE_E_UNKNOWN_TYPE",
    [WIRE_E_FRAME] = "WIRE_E_FRAME",
    [WIRE_E_NO_SPACE] = "WIRE_E_NO_SPACE",
};

static void malformed(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    abort();
}

int vector_outcome(const char *name)
{
    for (size_t i = 1; i < sizeof(outcome_names) / sizeof(outcome_names[0]); i++) {
        if (strcmp(outcome_names[i], name) == 0) {
            return (int)i;
        }
    }
    return 0;
}

/* "1a" or "61*32768" */
static void read_token(const char *path, const char *token, uint8_t *buffer, size_t n_buffer,
                       size_t *n)
{
    unsigned int byte;
    size_t times = 1;
    int used = 0;

    if (sscanf(token, "%2x%n", &byte, &used) != 1 || used != 2) {
        malformed(path, "not a hexadecimal byte");
    }
    if (token[2] == '*') {
        times = strtoul(token + 3, NULL, 10);
    } else if (token[2] != '\0') {
        malformed(path, "bytes must stand apart");
    }
    if (times > n_buffer - *n) {
        malformed(path, "too many bytes");
    }
    memset(buffer + *n, (int)byte, times);
    *n += times;
}

static void read_file(const char *path, struct vector *v)
{
    uint8_t *buffer = v->bytes;
    size_t n_buffer = sizeof(v->bytes), *n = &v->n_bytes;
    char *line = NULL, *rest, *token;
    size_t n_line = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        malformed(path, "cannot be opened");
    }
    while (getline(&line, &n_line, file) > 0) {
        (void)sscanf(line, "# outcome: %31s", v->outcome);
        (void)sscanf(line, "# field: %31s", v->field);
        line[strcspn(line, "#\n")] = '\0';
        if (strcmp(line, "becomes:") == 0) {
            buffer = v->becomes;
            n_buffer = sizeof(v->becomes);
            n = &v->n_becomes;
            continue;
        }
        for (token = strtok_r(line, " ", &rest); token; token = strtok_r(NULL, " ", &rest)) {
            read_token(path, token, buffer, n_buffer, n);
        }
    }
    free(line);
    fclose(file);
}

static size_t each_in(const char *group, const char *folder, vector_fn fn, void *userdata)
{
    const char *root = getenv("PES_VECTORS");
    char path[4096];
    struct dirent *entry;
    size_t n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s%s", root ? root : "protocol/vectors", group, folder);
    dir = opendir(path);
    if (!dir) {
        malformed(path, "cannot be opened");
    }
    while ((entry = readdir(dir))) {
        size_t n_name = strlen(entry->d_name);
        char name[512];
        struct vector *v;

        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (entry->d_type == DT_DIR) {
            n += each_in(group, name, fn, userdata);
            continue;
        }
        if (n_name < 4 || strcmp(entry->d_name + n_name - 4, ".hex") != 0) {
            continue;
        }
        v = calloc(1, sizeof(*v));
        if (!v) {
            abort();
        }
        snprintf(path, sizeof(path), "%s/%s%s", root ? root : "protocol/vectors", group, name);
        snprintf(v->group, sizeof(v->group), "%s", group);
        snprintf(v->name, sizeof(v->name), "%.*s", (int)(strlen(name) - 5), name + 1);
        read_file(path, v);
        fn(v, userdata);
        free(v);
        n++;
    }
    closedir(dir);
    return n;
}

size_t vector_each(const char *group, vector_fn fn, void *userdata)
{
    return each_in(group, "", fn, userdata);
}

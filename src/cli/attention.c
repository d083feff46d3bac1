/*
 * What `pes status` and `pes providers` say of definitions.
 *
 * The service knows nothing of stores: they are files, which pes-definitions reads. It is run as a
 * child here and gives a line for each store that somebody should look at, or none; how old is too
 * old stands in each provider's updates.d/NAME.conf.
 */
#include "cli/attention.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/json_text.h"
#include "cli/libexec.h"

#define SYSTEM_STORE "/var/lib/pes/definitions"

static void take_line(struct attention *attention, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (attention->n < ATTENTION_LINES_MAX && strchr(line, ':')) {
        attention->lines[attention->n] = human_text_dup(line);
        attention->n += attention->lines[attention->n] ? 1 : 0;
    }
}

static void read_lines(struct attention *attention, int fd)
{
    FILE *file = fdopen(fd, "r");
    char line[1024];

    if (!file) {
        (void)close(fd);
        return;
    }
    while (fgets(line, sizeof(line), file)) {
        take_line(attention, line);
    }
    (void)fclose(file);
}

void attention_load(struct attention *attention, bool is_system)
{
    const char *words[] = {"definitions", "status", "--brief", is_system ? "--store" : NULL,
                           SYSTEM_STORE,  NULL};
    int pipes[2];
    pid_t pid;
    int status;

    *attention = (struct attention)ATTENTION_INIT;
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (dup2(pipes[1], STDOUT_FILENO) >= 0 && null >= 0 && dup2(null, STDERR_FILENO) >= 0) {
            (void)libexec_run("pes-definitions", (char **)(uintptr_t)words);
        }
        _exit(127);
    }
    (void)close(pipes[1]);
    if (pid < 0) {
        (void)close(pipes[0]);
        return;
    }
    read_lines(attention, pipes[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

void attention_fini(struct attention *attention)
{
    for (size_t i = 0; i < attention->n; i++) {
        free(attention->lines[i]);
    }
    *attention = (struct attention)ATTENTION_INIT;
}

void attention_print(const struct attention *attention, const char *name, const char *before)
{
    size_t n_name = name ? strlen(name) : 0;

    for (size_t i = 0; i < attention->n; i++) {
        const char *line = attention->lines[i];

        if (!name || (strncmp(line, name, n_name) == 0 && line[n_name] == ':')) {
            printf("%s%s\n", before, line);
        }
    }
}

json_t *attention_json(const struct attention *attention)
{
    json_t *list = json_array();

    for (size_t i = 0; i < attention->n; i++) {
        json_array_append_new(list, json_text_or_null(attention->lines[i]));
    }
    return list;
}

/*
 * Modules as sealed memory.
 *
 * The launcher reads a module as raw bytes, once, through one descriptor: what was checked is what
 * runs, however the file is replaced meanwhile. Seals keep it so for the life of the generation.
 * Nothing in the bytes is looked at here; whether they are an ELF file at all is found out inside
 * the sandbox. What is in a signed package comes by package.c.
 */
#include "launcher/module.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/sealed_memory.h"

static int refuse(char *why, const char *text)
{
    snprintf(why, MODULE_WHY_BYTES_MAX, "%s", text);
    return MODULE_E_REFUSED;
}

static int fail(char *why, const char *text, int error)
{
    snprintf(why, MODULE_WHY_BYTES_MAX, "%s: %s", text, strerror(error));
    return -error;
}

static bool is_roots_alone(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int check_folder(const char *path, char *why)
{
    char copy[PATH_MAX];
    struct stat st;

    snprintf(copy, sizeof(copy), "%s", path);
    if (stat(dirname(copy), &st) < 0) {
        return fail(why, "its folder cannot be looked at", errno);
    }
    if (!is_roots_alone(&st)) {
        return refuse(why, "its folder must belong to root and be writable by root alone");
    }
    return 0;
}

static int check_file(int fd, const char *path, bool is_system, struct stat *ret_st, char *why)
{
    if (fstat(fd, ret_st) < 0) {
        return fail(why, "the module cannot be looked at", errno);
    }
    if (!S_ISREG(ret_st->st_mode)) {
        return refuse(why, "the module is not a regular file");
    }
    if (ret_st->st_size == 0) {
        return refuse(why, "the module is empty");
    }
    if (ret_st->st_size > (off_t)MODULE_BYTES_MAX) {
        return refuse(why, "the module is larger than 256 MiB");
    }
    if (is_system && !is_roots_alone(ret_st)) {
        return refuse(why, "the module must belong to root and be writable by root alone");
    }
    return is_system ? check_folder(path, why) : 0;
}

int module_load(const char *path, bool is_system, int *ret_fd, char ret_why[MODULE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int file = -1;
    CLEANUP(closep) int memory = -1;
    struct stat st;
    const char *slash = strrchr(path, '/');
    int r;

    /* No symbolic link at the end: what is named is what is meant. O_NONBLOCK: a FIFO must not
     * hold us up before fstat() tells. */
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0 && errno == ELOOP) {
        return refuse(ret_why, "the module is a symbolic link; name the file itself");
    }
    if (file < 0) {
        return fail(ret_why, "the module cannot be opened", errno);
    }
    r = check_file(file, path, is_system, &st, ret_why);
    if (r != 0) {
        return r;
    }
    memory = sealed_memory_new(slash ? slash + 1 : path, true);
    if (memory < 0) {
        return fail(ret_why, "no memory for the module", -memory);
    }
    r = sealed_memory_copy(memory, file, st.st_size);
    if (r < 0) {
        return fail(ret_why, "the module cannot be read", -r);
    }
    r = sealed_memory_seal(memory);
    if (r < 0) {
        return fail(ret_why, "the module cannot be sealed", -r);
    }
    *ret_fd = TAKE_FD(memory);
    return 0;
}

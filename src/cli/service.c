/*
 * The service as a whole, and the one line that tells when it is not there.
 *
 * Where it should have answered is part of that line, since a wrong PES_RUNTIME_DIR is the most
 * common reason. The rule is libpes's own: that variable, else the system's folder, else the
 * user's.
 */
#include "cli/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pes/pes.h>

#include "cli/human.h"

#define SERVICE_TIMEOUT_MS 5000
#define SOCKET_BYTES_MAX   108 /* sun_path, unix(7) */

static char *service_place_dup(void)
{
    const char *runtime = secure_getenv("PES_RUNTIME_DIR");
    const char *user = secure_getenv("XDG_RUNTIME_DIR");
    CLEANUP(freep) char *place = NULL;
    int n;

    if (runtime && runtime[0]) {
        n = asprintf(&place, "%s/pes.sock", runtime);
    } else if (user && user[0]) {
        n = asprintf(&place, "/run/pes/pes.sock or %s/pes/pes.sock", user);
    } else {
        n = asprintf(&place, "/run/pes/pes.sock");
    }
    if (n < 0) {
        place = NULL;
        return NULL;
    }
    return human_text_dup(place);
}

/* Why no service can be at PES_RUNTIME_DIR, or NULL. */
static const char *place_fault(void)
{
    const char *runtime = secure_getenv("PES_RUNTIME_DIR");

    if (!runtime || !runtime[0]) {
        return NULL;
    }
    if (runtime[0] != '/') {
        return "PES_RUNTIME_DIR must be an absolute path";
    }
    return strlen(runtime) + strlen("/pes.sock") >= SOCKET_BYTES_MAX
               ? "PES_RUNTIME_DIR is longer than the path of a socket may be"
               : NULL;
}

char *service_folder_dup(void)
{
    const char *runtime = secure_getenv("PES_RUNTIME_DIR");
    const char *user = secure_getenv("XDG_RUNTIME_DIR");
    char *folder = NULL;

    if (runtime && runtime[0] == '/') {
        return strdup(runtime);
    }
    if (access(SERVICE_SYSTEM_FOLDER, F_OK) == 0) {
        return strdup(SERVICE_SYSTEM_FOLDER);
    }
    if (!user || user[0] != '/' || asprintf(&folder, "%s/pes", user) < 0) {
        return NULL;
    }
    if (access(folder, F_OK) < 0) {
        freep(&folder);
        folder = NULL;
    }
    return folder;
}

void service_complain(int error, const char *quota)
{
    CLEANUP(freep) char *place = service_place_dup();
    const char *where = place ? place : "its socket";

    if (error == -PES_E_NO_BROKER && place_fault()) {
        fprintf(stderr, "pes: the service cannot be at %s: %s\n", where, place_fault());
        return;
    }
    switch (error) {
    case -PES_E_NO_BROKER:
    case -PES_E_NOT_CONNECTED:
    case -PES_E_BROKER_LOST:
        fprintf(stderr,
                "pes: the service does not answer at %s: start it with 'systemctl start pes', or "
                "with 'pesd --user' for yourself\n",
                where);
        break;
    case -PES_E_VERSION:
        fprintf(stderr,
                "pes: the service at %s is of another version than this program (%s): update the "
                "older one\n",
                where, PES_VERSION);
        break;
    case -PES_E_PERMISSION:
        fprintf(stderr,
                "pes: whoever answers at %s is not trusted, or does not let you ask: see 'locked' "
                "and 'broker-uid' in /etc/pes/client.conf; in a sandbox, let in AF_UNIX, and the "
                "whole folder instead of the socket alone\n",
                where);
        break;
    case -PES_E_DEADLINE_PASSED:
        fprintf(stderr, "pes: the service at %s did not answer in time: see its log\n", where);
        break;
    case -PES_E_QUOTA:
        fprintf(stderr,
                "pes: the service at %s is in use: there are too many %s; try again when other "
                "programs have ended, or see the limits per uid in pes.conf\n",
                where, quota && quota[0] ? quota : "questions");
        break;
    default:
        fprintf(stderr, "pes: the service at %s could not be asked: %s\n", where,
                pes_error_text(error));
        break;
    }
}

int service_get(struct pes_service **ret_service, int is_report)
{
    struct pes_ctx *ctx = pes_open("pes", PES_VERSION, 0);
    int r;

    if (is_report) {
        r = pes_service_report(ctx, SERVICE_TIMEOUT_MS, ret_service);
    } else {
        r = pes_service_query(ctx, SERVICE_TIMEOUT_MS, ret_service);
    }
    pes_close(ctx);
    if (r < 0) {
        /* A query is not counted; what it takes is a connection. */
        service_complain(r, "connections");
    }
    return r;
}

void service_freep(struct pes_service **service)
{
    pes_service_free(*service);
}

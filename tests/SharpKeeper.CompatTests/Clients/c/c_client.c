/* Apache's C client against the server given as the first argument; ends with 0 if all was as it must be. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

#define WAIT_SECONDS 30
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connects, creates, changes, child_changes, deletions, answers;

static void await_count(const int *count, int wanted)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&lock);
    while (*count < wanted)
        CHECK(pthread_cond_timedwait(&changed, &lock, &until) == 0);
    pthread_mutex_unlock(&lock);
}

static void count_up(int *count)
{
    pthread_mutex_lock(&lock);
    ++*count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void watch(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        count_up(&connects);
    else if (type == ZOO_CREATED_EVENT)
        count_up(&creates);
    else if (type == ZOO_CHANGED_EVENT)
        count_up(&changes);
    else if (type == ZOO_CHILD_EVENT)
        count_up(&child_changes);
    else if (type == ZOO_DELETED_EVENT)
        count_up(&deletions);
}

static void answered(int code, const char *value, const void *data)
{
    (void)value, (void)data;
    CHECK(code == ZOK);
    count_up(&answers);
}

static void authenticated(int code, const void *data)
{
    (void)data;
    CHECK(code == ZOK);
    count_up(&answers);
}

static void check_tree(zhandle_t *handle)
{
    char name[100], data[100];
    int length;
    struct Stat stat;
    struct String_vector children;

    CHECK(zoo_create(handle, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name) == ZOK);
    CHECK(strcmp(name, "/c") == 0);
    CHECK(zoo_create(handle, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name) == ZNODEEXISTS);
    CHECK(zoo_create(handle, "/c/s-", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, name, sizeof name) == ZOK);
    CHECK(strcmp(name, "/c/s-0000000000") == 0);
    CHECK(zoo_create2(handle, "/c/e", "e", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, name, sizeof name, &stat) == ZOK);
    CHECK(stat.ephemeralOwner == zoo_client_id(handle)->client_id);
    CHECK(zoo_create(handle, "/c/e/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name) == ZNOCHILDRENFOREPHEMERALS);
    length = sizeof data;
    CHECK(zoo_get(handle, "/c", 0, data, &length, &stat) == ZOK);
    CHECK(length == 3 && memcmp(data, "one", 3) == 0 && stat.numChildren == 2 && stat.version == 0);
    length = sizeof data;
    CHECK(zoo_get(handle, "/c/s-0000000000", 0, data, &length, &stat) == ZOK && length == -1);
    CHECK(zoo_set2(handle, "/c", "two", 3, 0, &stat) == ZOK && stat.version == 1);
    CHECK(zoo_set(handle, "/c", "bad", 3, 0) == ZBADVERSION);
    CHECK(zoo_get_children(handle, "/c", 0, &children) == ZOK && children.count == 2);
    deallocate_String_vector(&children);
    CHECK(zoo_get_children2(handle, "/c", 0, &children, &stat) == ZOK && children.count == 2 && stat.cversion == 2);
    deallocate_String_vector(&children);
    CHECK(zoo_delete(handle, "/c", -1) == ZNOTEMPTY);
    CHECK(zoo_exists(handle, "/none", 0, &stat) == ZNONODE);
    CHECK(zoo_async(handle, "/c", answered, NULL) == ZOK);
    await_count(&answers, 1);
}

static void check_watches(zhandle_t *handle)
{
    char data[100];
    int length = sizeof data;
    struct Stat stat;
    struct String_vector children;

    CHECK(zoo_wexists(handle, "/c/w", watch, NULL, &stat) == ZNONODE);
    CHECK(zoo_create(handle, "/c/w", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    await_count(&creates, 1);
    CHECK(zoo_wget(handle, "/c/w", watch, NULL, data, &length, &stat) == ZOK);
    CHECK(zoo_wget_children(handle, "/c/w", watch, NULL, &children) == ZOK);
    deallocate_String_vector(&children);
    CHECK(zoo_set(handle, "/c/w", "x", 1, -1) == ZOK);
    await_count(&changes, 1);
    CHECK(zoo_create(handle, "/c/w/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    await_count(&child_changes, 1);
    CHECK(zoo_wexists(handle, "/c/w/c", watch, NULL, &stat) == ZOK);
    CHECK(zoo_delete(handle, "/c/w/c", 0) == ZOK);
    await_count(&deletions, 1);
    CHECK(zoo_wexists(handle, "/c/w", watch, NULL, &stat) == ZOK);
    CHECK(zoo_remove_watches(handle, "/c/w", ZWATCHTYPE_DATA, watch, NULL, 0) == ZOK);
    CHECK(zoo_remove_watches(handle, "/c/w", ZWATCHTYPE_DATA, watch, NULL, 0) == ZNOWATCHER);
}

static void check_multi(zhandle_t *handle)
{
    zoo_op_t ops[5];
    zoo_op_result_t results[5];
    char first[100], second[100];
    struct Stat stat;

    zoo_create_op_init(&ops[0], "/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, first, sizeof first);
    zoo_create_op_init(&ops[1], "/m/s-", "2", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, second, sizeof second);
    zoo_set_op_init(&ops[2], "/m", "3", 1, 0, &stat);
    zoo_check_op_init(&ops[3], "/m", 1);
    zoo_delete_op_init(&ops[4], "/m/s-0000000000", 0);
    CHECK(zoo_multi(handle, 5, ops, results) == ZOK);
    CHECK(strcmp(first, "/m") == 0 && strcmp(second, "/m/s-0000000000") == 0 && stat.version == 1);
    zoo_check_op_init(&ops[1], "/m", 9);
    zoo_set_op_init(&ops[0], "/m", "4", 1, 1, &stat);
    CHECK(zoo_multi(handle, 3, ops, results) == ZBADVERSION);
    CHECK(results[0].err == ZOK && results[1].err == ZBADVERSION && results[2].err == ZRUNTIMEINCONSISTENCY);
    CHECK(zoo_exists(handle, "/m", 0, &stat) == ZOK && stat.version == 1);
}

static void check_rights(zhandle_t *handle)
{
    struct ACL_vector acl;
    struct Stat stat;
    char data[10];
    int length = sizeof data;

    CHECK(zoo_create(handle, "/r", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0) == ZINVALIDACL);
    CHECK(zoo_add_auth(handle, "digest", "bob:pw", 6, authenticated, NULL) == ZOK);
    await_count(&answers, 2);
    CHECK(zoo_create(handle, "/r", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0) == ZOK);
    CHECK(zoo_get_acl(handle, "/r", &acl, &stat) == ZOK);
    CHECK(acl.count == 1 && strcmp(acl.data[0].id.id, "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=") == 0);
    deallocate_ACL_vector(&acl);
    CHECK(zoo_set_acl(handle, "/r", 0, &ZOO_READ_ACL_UNSAFE) == ZOK);
    CHECK(zoo_set(handle, "/r", "x", 1, -1) == ZNOAUTH);
    CHECK(zoo_get(handle, "/r", 0, data, &length, &stat) == ZOK);
}

static void check_restart(zhandle_t *handle)
{
    char answer[100];
    struct Stat stat;
    int before = connects;
    int64_t session = zoo_client_id(handle)->client_id;

    CHECK(zoo_wexists(handle, "/c/late", watch, NULL, &stat) == ZNONODE);
    printf("@stop\n");
    fflush(stdout);
    CHECK(fgets(answer, sizeof answer, stdin) != NULL);
    printf("@start\n");
    fflush(stdout);
    CHECK(fgets(answer, sizeof answer, stdin) != NULL);
    await_count(&connects, before + 1);
    CHECK(zoo_client_id(handle)->client_id == session);
    CHECK(zoo_exists(handle, "/c/e", 0, &stat) == ZOK && stat.ephemeralOwner == session);
    CHECK(zoo_create(handle, "/c/late", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    await_count(&creates, 2);
}

int main(int count, char **arguments)
{
    zhandle_t *handle;
    CHECK(count == 2);
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    handle = zookeeper_init(arguments[1], watch, 20000, NULL, NULL, 0);
    CHECK(handle != NULL);
    await_count(&connects, 1);
    check_tree(handle);
    check_watches(handle);
    check_multi(handle);
    check_rights(handle);
    check_restart(handle);
    CHECK(zookeeper_close(handle) == ZOK);
    printf("all is well\n");
    return 0;
}

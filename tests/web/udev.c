/* SPDX-License-Identifier: MIT */
/* udev.c - in the place of libudev.so.1, for a browser in tests alone.  A browser asks libudev which serial ports there
 * are, and libudev asks the kernel, which calls no pseudo-terminal one.  Here each file of folder $SPBOOT_UDEV is a
 * device of subsystem tty: its name is the device's, its lines are the properties of it, "DEVNAME=/dev/pts/3".  A file
 * that is moved there is a device that is plugged in, one that is removed a device that is pulled out.  Nothing else is
 * listed: a browser sees no real device by this.
 * Names have 15 letters at most: a record of inotify then has 32 bytes, and one read takes one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/types.h>
#include <unistd.h>

enum { NAME_SIZE = 16, PATH_SIZE = 512, TEXT_SIZE = 1024 };

struct udev {
    char folder[PATH_SIZE - NAME_SIZE];
};

struct udev_list_entry {
    struct udev_list_entry *next;
    char path[PATH_SIZE];
};

struct udev_enumerate {
    struct udev *udev;
    struct udev_list_entry *first;
    int other; /* another subsystem is asked for */
};

struct udev_monitor {
    struct udev *udev;
    int notes;
    int other;
};

struct udev_device {
    const char *action;
    char path[PATH_SIZE];
    char text[TEXT_SIZE]; /* its lines, each ended by a zero */
    size_t len;
};

#define PUBLIC __attribute__((visibility("default")))

PUBLIC struct udev *udev_new(void)
{
    const char *folder = getenv("SPBOOT_UDEV");
    struct udev *udev = calloc(1, sizeof *udev);

    if (udev == NULL || folder == NULL || strlen(folder) >= sizeof udev->folder) {
        free(udev);
        return NULL;
    }
    strcpy(udev->folder, folder);
    return udev;
}

PUBLIC struct udev *udev_unref(struct udev *udev)
{
    free(udev);
    return NULL;
}

static int of_subsystem(const char *name)
{
    return name == NULL || strcmp(name, "tty") == 0;
}

/* A device by its path.  One that is gone has a name and no properties. */
static struct udev_device *device_new(const char *path, const char *action)
{
    struct udev_device *device = calloc(1, sizeof *device);
    FILE *file = fopen(path, "r");

    if (device != NULL) {
        device->action = action;
        snprintf(device->path, sizeof device->path, "%s", path);
        if (file != NULL)
            device->len = fread(device->text, 1, sizeof device->text - 1, file);
        for (size_t i = 0; i < device->len; i++) {
            if (device->text[i] == '\n')
                device->text[i] = '\0';
        }
    }
    if (file != NULL)
        fclose(file);
    return device;
}

PUBLIC struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *path)
{
    (void)udev;
    return access(path, R_OK) == 0 ? device_new(path, NULL) : NULL;
}

PUBLIC struct udev_device *udev_device_unref(struct udev_device *device)
{
    free(device);
    return NULL;
}

PUBLIC const char *udev_device_get_action(struct udev_device *device)
{
    return device->action;
}

PUBLIC const char *udev_device_get_subsystem(struct udev_device *device)
{
    (void)device;
    return "tty";
}

PUBLIC const char *udev_device_get_syspath(struct udev_device *device)
{
    return device->path;
}

PUBLIC const char *udev_device_get_sysname(struct udev_device *device)
{
    return strrchr(device->path, '/') + 1;
}

PUBLIC const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
    size_t len = strlen(key);

    for (size_t at = 0; at < device->len; at += strlen(device->text + at) + 1) {
        if (strncmp(device->text + at, key, len) == 0 && device->text[at + len] == '=')
            return device->text + at + len + 1;
    }
    return NULL;
}

PUBLIC const char *udev_device_get_devnode(struct udev_device *device)
{
    return udev_device_get_property_value(device, "DEVNAME");
}

PUBLIC struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
    struct udev_enumerate *all = calloc(1, sizeof *all);

    if (all != NULL)
        all->udev = udev;
    return all;
}

PUBLIC int udev_enumerate_add_match_subsystem(struct udev_enumerate *all, const char *name)
{
    all->other = !of_subsystem(name);
    return 0;
}

PUBLIC int udev_enumerate_scan_devices(struct udev_enumerate *all)
{
    DIR *folder = all->other ? NULL : opendir(all->udev->folder);

    for (struct dirent *found; folder != NULL && (found = readdir(folder)) != NULL;) {
        struct udev_list_entry *entry;

        if (found->d_name[0] == '.' || strlen(found->d_name) >= NAME_SIZE)
            continue;
        entry = calloc(1, sizeof *entry);
        if (entry == NULL)
            break;
        snprintf(entry->path, sizeof entry->path, "%s/%.15s", all->udev->folder, found->d_name);
        entry->next = all->first;
        all->first = entry;
    }
    if (folder != NULL)
        closedir(folder);
    return 0;
}

PUBLIC struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *all)
{
    return all->first;
}

PUBLIC struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *all)
{
    while (all->first != NULL) {
        struct udev_list_entry *next = all->first->next;

        free(all->first);
        all->first = next;
    }
    free(all);
    return NULL;
}

PUBLIC struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry)
{
    return entry->next;
}

PUBLIC const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
    return entry->path;
}

PUBLIC struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
    struct udev_monitor *monitor = calloc(1, sizeof *monitor);

    (void)name;
    if (monitor != NULL) {
        monitor->udev = udev;
        monitor->notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    }
    return monitor;
}

PUBLIC int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *name,
                                                           const char *type)
{
    (void)type;
    monitor->other = !of_subsystem(name);
    return 0;
}

PUBLIC int udev_monitor_enable_receiving(struct udev_monitor *monitor)
{
    if (monitor->other)
        return 0;
    return inotify_add_watch(monitor->notes, monitor->udev->folder, IN_MOVED_TO | IN_DELETE) < 0 ? -1 : 0;
}

PUBLIC int udev_monitor_get_fd(struct udev_monitor *monitor)
{
    return monitor->notes;
}

PUBLIC struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
    union {
        struct inotify_event head;
        char bytes[sizeof(struct inotify_event) + NAME_SIZE];
    } note;
    char path[PATH_SIZE];

    if (read(monitor->notes, &note, sizeof note) != (ssize_t)sizeof note)
        return NULL;
    snprintf(path, sizeof path, "%s/%.15s", monitor->udev->folder, note.bytes + sizeof note.head);
    return device_new(path, (note.head.mask & IN_DELETE) != 0 ? "remove" : "add");
}

PUBLIC struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor)
{
    close(monitor->notes);
    free(monitor);
    return NULL;
}

/* What else a browser asks for: no device has it. */
#define NOTHING(name)        \
    PUBLIC void *name(void); \
    PUBLIC void *name(void)  \
    {                        \
        return NULL;         \
    }

NOTHING(udev_device_get_devtype)
NOTHING(udev_device_get_driver)
NOTHING(udev_device_get_parent)
NOTHING(udev_device_get_parent_with_subsystem_devtype)
NOTHING(udev_device_get_properties_list_entry)
NOTHING(udev_device_get_sysattr_value)
NOTHING(udev_device_new_from_devnum)
NOTHING(udev_device_new_from_subsystem_sysname)

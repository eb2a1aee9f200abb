#!/bin/sh
# boot.sh FOLDER HIERARCHY...: the first process of a machine (machine.py), in namespaces of its own.
set -eu
folder=$1
shift
root=$folder/root
mkdir -p "$folder/written" "$folder/work" "$root"
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/written,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
if [ "$1" = /sys/fs/cgroup ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    for one in "$@"; do
        name=${one##*/}
        mkdir "$root$one"
        case $name in
            unified) mount -t cgroup2 cgroup2 "$root$one" ;;
            systemd) mount -t cgroup -o none,name=systemd cgroup "$root$one" ;;
            *) mount -t cgroup -o "$name" cgroup "$root$one" ;;
        esac
    done
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for one in null zero full random urandom tty; do
    : > "$root/dev/$one"
    mount --bind "/dev/$one" "$root/dev/$one"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
echo tickerdesk > "$root/etc/hostname"
echo "127.0.0.1 localhost tickerdesk" > "$root/etc/hosts"
: > "$root/etc/machine-id"
rm -f "$root/usr/sbin/policy-rc.d"   # says on some machines that packages may start nothing
rm -rf "$root"/etc/systemd/system/*.wants
# not chroot: within one no service can have users of its own (PrivateUsers=)
mkdir "$root/outside"
cd "$root"
pivot_root . outside
umount -l /outside
rmdir /outside
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=basic.target --log-target=console < /dev/null

# The helper at a server, in the Perl that every Debian has (perl-base): what far.py and wire.py do, frame for frame.
# It is sent as text behind the lines that set $nonce and $window; whole lines of comment stay at home.

use strict;
use warnings;
use Errno;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use POSIX ();
use Socket qw(:DEFAULT getaddrinfo getnameinfo AI_NUMERICHOST NI_NUMERICHOST NI_NUMERICSERV MSG_DONTWAIT IPPROTO_IPV6 IPV6_V6ONLY);

our ($nonce, $window);
my ($HELLO, $BIND, $BOUND, $OPEN, $PEER, $DATA, $CLOSE, $ERROR, $ACK, $PING, $PONG, $DROPPED, $OPENED) = 1 .. 13;
my ($VERSION, $ACK_EVERY, $OVERHEAD, $ROOM, $SILENCE, $BATCH, $PEERS) = (1, 16384, 128, 8388608, 60, 32, 4096);
my @NAMES = qw(ECONNREFUSED EHOSTUNREACH ENETUNREACH EADDRINUSE EADDRNOTAVAIL EACCES EPERM EMFILE ENFILE EAFNOSUPPORT EINVAL);

my ($ready, $pending, $in, $paused) = ("", "", "", 0);
my ($sent, $acknowledged, $received, $told, $held) = (0, 0, 0, 0, 0);
my (%ends, %files, %peers, %names, %queues, %dropped, @turns);
my ($reading, $next_peer, $turn) = ("", 1, 0);
my $TICKS = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
my $precise = eval { require Time::HiRes; 1 };

# Seconds that only go forward, where the system has such a clock.
sub clock {
    return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) if $precise;
    return (POSIX::times())[0] / $TICKS;
}
my $now = clock();

sub frame {
    my ($kind, $flow, $body, $flags) = @_;
    return pack("CCnN", $kind, $flags || 0, length $body, $flow) . $body;
}

sub control {
    $sent += length $_[0];
    $ready .= $_[0];
}

sub fits {
    return !$paused && (($sent - $acknowledged) & 0xffffffff) + $_[0] + 8 <= $window;
}

sub drop {
    my ($flow, $cause, $count) = @_;
    $dropped{"$flow $cause"} += $count || 1;
}

sub name_of {
    for my $name (@NAMES) { return $name if $!{$name} }
    return "$!";
}

sub pop_oldest {
    my $queue = shift;
    my $entry = shift @{ $queue->{waiting} };
    $queue->{size} -= length($entry->[1]) + $OVERHEAD;
    $held -= length($entry->[1]) + $OVERHEAD;
    return $entry->[1];
}

# A datagram goes at once where it fits into the window, else it waits in the queue of its flow.
sub datagram {
    my ($flow, $policy) = @_[0, 2];
    if (!@turns && fits(length $_[1])) {
        $sent += 8 + length $_[1];
        $ready .= pack("CCnN", $DATA, 0, length $_[1], $flow);
        $ready .= $_[1];
        return;
    }
    my $cost = length($_[1]) + $OVERHEAD;
    my $queue = $queues{$flow};
    if (!$queue) {
        $queue = $queues{$flow} = { waiting => [], size => 0, policy => $policy };
        push @turns, $flow;
    }
    while ($policy->{head} && @{ $queue->{waiting} } && $queue->{size} + $cost > $policy->{room}) {
        pop_oldest($queue);
        drop($flow, "queue");
    }
    if ($queue->{size} + $cost > $policy->{room} || $held + $cost > $ROOM) {
        drop($flow, "queue");
    } else {
        push @{ $queue->{waiting} }, [$now, $_[1]];
        $queue->{size} += $cost;
        $held += $cost;
    }
}

sub aged {
    my ($flow, $queue) = @_;
    while (@{ $queue->{waiting} } && $queue->{waiting}[0][0] + $queue->{policy}{age} < $now) {
        pop_oldest($queue);
        drop($flow, "age");
    }
}

# Takes out of the queues what fits by now, one datagram of each flow by turns.
sub release {
    while (@turns) {
        my $flow = $turns[0];
        my $queue = $queues{$flow};
        if ($queue) {
            aged($flow, $queue);
            if (@{ $queue->{waiting} }) {
                return if !fits(length $queue->{waiting}[0][1]);
                control(frame($DATA, $flow, pop_oldest($queue)));
            }
        }
        shift @turns;
        if ($queue && @{ $queue->{waiting} }) { push @turns, $flow }
        else { delete $queues{$flow} }
    }
}

sub forget {
    my $flow = shift;
    my $queue = delete $queues{$flow} or return;
    @turns = grep { $_ != $flow } @turns;
    while (@{ $queue->{waiting} }) { pop_oldest($queue); drop($flow, "closed") }
}

# What datagrams need of a socket: large buffers, fragments allowed or not. Numbers of Linux: ip(7), ipv6(7).
sub prepare {
    my ($sock, $family, $df) = @_;
    setsockopt($sock, SOL_SOCKET, $_, pack("i", 1 << 20)) for SO_RCVBUF, SO_SNDBUF;
    return if $^O ne "linux";
    my ($level, $option) = $family == AF_INET ? (0, 10) : (41, 23);
    setsockopt($sock, $level, $option, pack("i", $df ? 2 : 0));
}

sub keep {
    my ($flow, $sock, $policy, $listens) = @_;
    close_flow($flow);
    my $end = { flow => $flow, sock => $sock, policy => $policy, listens => $listens, peers => {}, turn => 0, lost => 0 };
    $ends{$flow} = $files{ fileno $sock } = $end;
    vec($reading, fileno $sock, 1) = 1;
}

sub close_flow {
    my $flow = shift;
    forget($flow);
    if (my $peer = delete $peers{$flow}) {
        delete $peer->[0]{peers}{ $peer->[1] };
    } elsif (my $end = delete $ends{$flow}) {
        delete $files{ fileno $end->{sock} };
        look($end);
        vec($reading, fileno $end->{sock}, 1) = 0;
        close $end->{sock};
        close_flow($_) for values %{ $end->{peers} };
    }
}

sub where_of {
    my ($flags, $body) = @_;
    my ($port, $age, $room) = unpack("nnN", $body);
    return ($port, { age => $age / 1000, room => $room, head => $flags & 2 }, substr($body, 8));
}

# A name's addresses are kept for 30 seconds, and for 5 that it has none.
sub resolve {
    my ($host, $port) = @_;
    my $known = $names{"$host $port"};
    if (!$known || $now >= $known->[0]) {
        my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_DGRAM });
        %names = () if keys %names > $PEERS;
        $known = $names{"$host $port"} = [$now + ($error ? 5 : 30), $error ? "EUNRESOLVED" : "", @found];
    }
    return @$known[1 .. $#$known];
}

sub open_flow {
    my ($flow, $flags, $body) = @_;
    my ($port, $policy, $host) = where_of($flags, $body);
    my ($failure, @found) = resolve($host, $port);
    for my $info (@found) {
        my $sock;
        if (socket($sock, $info->{family}, SOCK_DGRAM, 0) && connect($sock, $info->{addr})) {
            prepare($sock, $info->{family}, $flags & 1);
            keep($flow, $sock, $policy, 0);
            my (undef, $address) = getnameinfo($info->{addr}, NI_NUMERICHOST | NI_NUMERICSERV);
            return control(frame($OPENED, $flow, $address));
        }
        $failure = name_of();
    }
    control(frame($CLOSE, $flow, $failure));
}

# Of a wildcard an answer has to come from the address that was sent to, which takes recvmsg; Perl has none.
sub bind_flow {
    my ($flow, $flags, $body) = @_;
    my ($port, $policy, $host) = where_of($flags, $body);
    my ($error, $info) = getaddrinfo($host, $port, { socktype => SOCK_DGRAM, flags => AI_NUMERICHOST });
    return control(frame($BOUND, $flow, "EUNRESOLVED", 1)) if $error;
    return control(frame($BOUND, $flow, "EWILDCARD", 1)) if $host =~ /^(?:0\.0\.0\.0|::)$/;
    my $sock;
    socket($sock, $info->{family}, SOCK_DGRAM, 0) or return control(frame($BOUND, $flow, name_of(), 1));
    setsockopt($sock, IPPROTO_IPV6, IPV6_V6ONLY, pack("i", 1)) if $info->{family} == AF_INET6;
    bind($sock, $info->{addr}) or return control(frame($BOUND, $flow, name_of(), 1));
    prepare($sock, $info->{family}, $flags & 1);
    keep($flow, $sock, $policy, 1);
    (undef, undef, $port) = getnameinfo(getsockname($sock), NI_NUMERICHOST | NI_NUMERICSERV);
    control(frame($BOUND, $flow, pack("nnN", $port, 0, 0)));
}

sub lose {
    my $flow = shift;
    if ($!{EAGAIN} || $!{EWOULDBLOCK} || $!{ENOBUFS}) { drop($flow, "busy") }
    elsif ($!{EMSGSIZE}) { drop($flow, "size") }
    else { drop($flow, "unreachable"); control(frame($ERROR, $flow, name_of())) }
}

sub send_flow {
    my ($flow, $body) = @_;
    my $end = $ends{$flow};
    if ($end && !$end->{listens}) {
        return if defined send($end->{sock}, $body, MSG_DONTWAIT);
        if ($!{ECONNREFUSED}) {
            control(frame($ERROR, $flow, "ECONNREFUSED"));
            return if defined send($end->{sock}, $body, MSG_DONTWAIT);
        }
        lose($flow);
    } elsif (my $peer = $peers{$flow}) {
        lose($flow) if !defined send($peer->[0]{sock}, $body, MSG_DONTWAIT, $peer->[1]);
    } else {
        drop($flow, "closed");
    }
}

sub peer_of {
    my ($end, $address) = @_;
    my $flow = $end->{peers}{$address};
    return $flow if defined $flow;
    if (keys %{ $end->{peers} } >= $PEERS) {
        drop($end->{flow}, "flows");
        return undef;
    }
    $flow = $end->{peers}{$address} = $next_peer;
    $next_peer = ($next_peer + 2) & 0xffffffff;
    $peers{$flow} = [$end, $address];
    my (undef, $host, $port) = getnameinfo($address, NI_NUMERICHOST | NI_NUMERICSERV);
    control(frame($PEER, $flow, pack("nnN", $port, 0, $end->{flow}) . $host));
    return $flow;
}

# Reads so many datagrams at most.
sub take {
    my ($end, $most) = @_;
    for (1 .. $most) {
        my $from = recv($end->{sock}, my $data, 65536, MSG_DONTWAIT);
        if (!defined $from) {
            return if $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
            control(frame($ERROR, $end->{flow}, name_of()));
            next;
        }
        my $flow = $end->{listens} ? peer_of($end, $from) : $end->{flow};
        datagram($flow, $data, $end->{policy}) if defined $flow;
    }
}

# One datagram goes on before it is looked whether there is another; when there was, as many go as come at once.
sub receive {
    my $end = shift;
    my $alone = $end->{turn} + 1 != $turn;
    $end->{turn} = $turn;
    take($end, $alone ? 1 : $BATCH);
    look($end) if !$alone;
}

# How many datagrams a full socket has dropped: SO_MEMINFO of Linux 4.12. Read after the socket was, it misses none.
sub look {
    my $end = shift;
    return if $^O ne "linux";
    my $lost = (unpack("L9", getsockopt($end->{sock}, SOL_SOCKET, 55) || ""))[8] || 0;
    drop($end->{flow}, "kernel", $lost - $end->{lost} & 0xffffffff) if $lost != $end->{lost};
    $end->{lost} = $lost;
}

sub report {
    for my $key (keys %dropped) {
        my ($flow, $cause) = split " ", $key;
        control(frame($DROPPED, $flow, pack("nnN", 0, 0, $dropped{$key}) . $cause));
    }
    %dropped = ();
}

sub hear {
    my $got = sysread(STDIN, $in, 1 << 18, length $in);
    return $!{EAGAIN} || $!{EINTR} if !defined $got;
    return 0 if !$got;
    $received += $got;
    my $at = 0;
    while (length($in) - $at >= 8) {
        my ($kind, $flags, $size, $flow) = unpack("CCnN", substr($in, $at, 8));
        last if length($in) - $at - 8 < $size;
        my $body = substr($in, $at + 8, $size);
        $at += 8 + $size;
        if ($kind == $DATA) { send_flow($flow, $body) }
        elsif ($kind == $ACK) { $acknowledged = $flow }
        elsif ($kind == $OPEN) { open_flow($flow, $flags, $body) if $size > 8 }
        elsif ($kind == $CLOSE) {
            close_flow($flow);
            report();
            control(frame($CLOSE, $flow, ""));
        }
        elsif ($kind == $BIND) { bind_flow($flow, $flags, $body) if $size > 8 }
        elsif ($kind == $PING) { control(frame($PONG, $flow, $body)) }
    }
    substr($in, 0, $at) = "" if $at;
    return 1;
}

# Everything of this turn in one write.
sub flush {
    my $was_paused = $paused;
    release();
    report();
    if ($received - $told >= $ACK_EVERY) {
        $told = $received;
        control(frame($ACK, $told & 0xffffffff, ""));
    }
    $pending .= $ready;
    $ready = "";
    if (length $pending) {
        my $wrote = syswrite(STDOUT, $pending);
        exit 0 if !defined $wrote && !$!{EAGAIN} && !$!{EWOULDBLOCK};
        substr($pending, 0, $wrote) = "" if $wrote;
    }
    $paused = length $pending ? 1 : 0;
    flush() if $was_paused && !$paused;  # what waits in the queues may go now
}

$SIG{PIPE} = "IGNORE";
for my $handle (\*STDIN, \*STDOUT) {
    fcntl($handle, F_SETFL, fcntl($handle, F_GETFL, 0) | O_NONBLOCK);
    binmode $handle;
}
vec($reading, 0, 1) = 1;
control(frame($HELLO, $VERSION, $nonce . sprintf("perl%vd pid %d", $^V, $$)));
flush();
my $heard = $now;
while (1) {
    my $patience = $SILENCE;
    for my $flow (@turns) {
        my $queue = $queues{$flow} or next;
        aged($flow, $queue);
        next if !@{ $queue->{waiting} };
        my $left = $queue->{waiting}[0][0] + $queue->{policy}{age} - $now + 0.01;
        $patience = $left if $left < $patience;
    }
    my $writing = "";
    vec($writing, 1, 1) = 1 if $paused;
    my $count = select(my $readable = $reading, $writing, undef, $patience);
    $now = clock();
    $turn++;
    if ($count > 0) {
        my ($bits, $number) = (unpack("b*", $readable), -1);
        while (($number = index($bits, "1", $number + 1)) >= 0) {
            if ($number == 0) {
                $heard = $now;
                exit 0 if !hear();
            } elsif (my $end = $files{$number}) {
                receive($end);
            }
        }
    }
    exit 0 if $now - $heard > $SILENCE;
    flush();
}

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from orchestra.engine.ssh.offers import OfferedKey, excluded, local, offer
from orchestra.model.topology import ConfigSettings

KEY = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


def test_a_key_signs_by_the_algorithm_that_was_agreed_upon():
    pair = OfferedKey(KEY, local(KEY))
    pair.set_sig_algorithm(b"rsa-sha2-512")
    signature = asyncio.run(pair.sign_async(b"data"))
    assert KEY.convert_to_public().verify(b"data", signature)
    assert b"rsa-sha2-512" in signature


def test_its_twin_with_a_certificate_leaves_it_as_it_was():
    authority = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_user_certificate(KEY.convert_to_public(), "me", principals=["me"])
    pair = OfferedKey(KEY, local(KEY))
    twin = pair.certified(certificate)
    assert (pair.has_cert, twin.has_cert) == (False, True)
    assert twin.public_data == certificate.public_data
    assert (twin.key_public_data, pair.public_data) == (KEY.public_data, KEY.public_data)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (ConfigSettings(), None),
        (ConfigSettings(required_rsa_size=2048), None),
        (ConfigSettings(required_rsa_size=2049), "it has 2048 bits, RequiredRSASize asks for 2049"),
        (ConfigSettings(pubkey_algorithms="ssh-ed25519"), "PubkeyAcceptedAlgorithms leaves it out"),
        (ConfigSettings(pubkey_algorithms="-rsa-sha2-256"), None),
    ],
)
def test_ssh_config_keeps_keys_from_being_used(config, why):
    assert excluded(OfferedKey(KEY, local(KEY)), config) == why


def test_what_ssh_config_takes_away_is_not_signed_with():
    pair = OfferedKey(KEY, local(KEY))
    excluded(pair, ConfigSettings(pubkey_algorithms="rsa-sha2-512,ssh-ed25519"))
    assert pair.sig_algorithms == [b"rsa-sha2-512"]


def test_what_is_at_hand_is_offered_under_its_name():
    pair = OfferedKey(KEY, local(KEY))
    made = offer("mine", pair)
    assert (made.name, asyncio.run(made.pair())) == ("mine", pair)

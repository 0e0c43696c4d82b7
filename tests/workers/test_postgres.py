"""The embedded PostgreSQL keeps what was committed, whoever is killed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from workers.postgres import APPLICATION, DATABASE, Postgres
from workers.processes import Child, free_port


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Running"]:
    folder = tmp_path_factory.mktemp("cluster")
    server = Postgres(
        data=folder / "postgres",
        log=folder / "postgres.log",
        port=free_port(),
        owner_password="p@ss/word%",
    )
    running = Running(server)
    server.ensure_application("app%2F@secret")
    yield running
    server.stop(running.child)


class Running:
    """A cluster and its process, which the tests kill."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.child: Child = server.start()

    def start_again(self) -> None:
        self.child = self.server.start()


def count(server: Postgres) -> int:
    with server.connect(DATABASE) as db:
        row = db.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


def test_a_commit_survives_a_kill(cluster: Running):
    with cluster.server.connect(DATABASE) as db:
        db.execute("create table kept (id int)")
        db.execute("insert into kept values (1)")
    cluster.child.process.kill()
    cluster.child.process.wait()
    cluster.start_again()
    assert count(cluster.server) == 1


def test_a_server_that_outlived_its_supervisor_is_replaced(cluster: Running):
    orphan = cluster.child
    cluster.start_again()
    assert orphan.process.wait(10) == 0
    assert cluster.child.alive


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(cluster: Running):
    cluster.server.stop(cluster.child)
    (cluster.server.data / "postmaster.pid").write_text("1\n/elsewhere\n0\n5432\n\n\n\n")
    cluster.start_again()
    assert cluster.child.alive


def test_half_a_cluster_is_made_anew(tmp_path: Path, cluster: Running):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "base").mkdir()
    server = replace(cluster.server, data=folder, port=free_port(), durable=False)
    child = server.start()
    try:
        server.connect().close()
    finally:
        server.stop(child)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(cluster: Running, password: str):
    wrong = replace(cluster.server, owner_password=password)
    with pytest.raises(psycopg.OperationalError, match="password"):
        wrong.connect()


def test_the_application_s_role_has_no_privileges(cluster: Running):
    with cluster.server.connect() as db:
        row = db.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles"
            " where rolname = %s",
            [APPLICATION],
        ).fetchone()
    assert row == (False, False, False, False)


def test_it_listens_on_the_loopback_alone_and_waits_for_the_disk(cluster: Running):
    with cluster.server.connect() as db:
        names = ("listen_addresses", "unix_socket_directories", "fsync", "synchronous_commit")
        found = [db.execute(f"show {name}").fetchone() for name in names]
    assert found == [("127.0.0.1",), ("",), ("on",), ("on",)]

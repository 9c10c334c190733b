//! R15: whoever asks twice gets one message.

use std::{collections::BTreeSet, time::Duration};

use reqwest::StatusCode;

use crate::{
    judge::{judge, until_settled},
    world::{Kind, World},
};

async fn ask_often(kind: Kind, processes: usize) {
    let world = World::on(kind).await;
    let mut nodes = Vec::new();
    for nth in 0..processes {
        nodes.push(world.serve(nth).await);
    }
    let (token, order) = (world.first_token(), world.order(0, 1));
    let asks = (0..64).map(|nth| {
        let node = &nodes[nth % nodes.len()];
        world.ask(&node.url, token, "the-same-key", &order)
    });
    let answers = futures_util::future::join_all(asks).await;
    let mut ids = BTreeSet::new();
    for answer in answers.into_iter().map(|answer| answer.expect("an answer")) {
        match answer.status {
            StatusCode::ACCEPTED => {
                ids.insert(answer.body["id"].as_str().expect("an id").to_owned());
            }
            status => assert_eq!(status, StatusCode::CONFLICT, "{}", answer.body),
        }
    }
    assert_eq!(ids.len(), 1, "one message, and everyone who is answered is told of it");
    let other = world.ask(&nodes[0].url, token, "the-same-key", &world.order(0, 2)).await;
    let other = other.expect("an answer");
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.body);
    let again = world.ask(&nodes[0].url, token, "the-same-key", &order).await.expect("an answer");
    assert_eq!(again.status, StatusCode::ACCEPTED);
    until_settled(&world, Duration::from_secs(60)).await;
    assert_eq!(world.count("SELECT count(*) AS n FROM active_messages"), 1);
    let ids: Vec<i64> = ids.iter().map(|id| id.parse().expect("a number")).collect();
    let mut tally = judge(&world, &ids).await;
    tally.recovered = 65;
    tally.must_be_clean(&format!("R15 {} x{processes}", kind.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_one_key_is_one_message_on_sqlite() {
    ask_often(Kind::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_one_key_is_one_message_at_two_processes_on_postgres() {
    ask_often(Kind::Postgres, 2).await;
}

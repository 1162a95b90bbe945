//! `serve`: the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{log_to_stderr, print};
use crate::base_path;
use crate::blocking::blocking;
use crate::cli::{LauncherKind, Serve};
use crate::console::BackgroundWriter;
use crate::data_dir::DataDir;
use crate::datasets::DataSets;
use crate::error::{Error, Result};
use crate::estimate::Estimator;
use crate::evaluations::Evaluations;
use crate::evaluations::cache::EvaluationCache;
use crate::http::change::Changes;
use crate::http::guard::{Guard, TOKEN_AT_LEAST};
use crate::http::{self, App};
use crate::images::Images;
use crate::index::Index;
use crate::inspect::InspectThread;
use crate::launch::{Launcher, LocalLauncher, SlurmLauncher};
use crate::lr_finder::LrFinder;
use crate::memory;
use crate::networks::OwnNetworks;
use crate::panics;
use crate::reports::Reports;
use crate::run_dir::lock::Fence;
use crate::selections::Selections;
use crate::supervisor::Supervisor;
use crate::tensorboard::import::Importer;
use crate::worker;

/// When the server stops, workers finish their step and write a checkpoint. Those that take longer continue on their
/// own and are adopted at the next start.
const WORKERS_STOP_WITHIN: Duration = Duration::from_secs(30);

/// A change that began before the server was stopped is completed if it takes no longer than this.
const CHANGES_END_WITHIN: Duration = Duration::from_secs(10);

/// How often the server looks whether another one has taken its data folder.
const FENCE_INTERVAL: Duration = Duration::from_secs(1);

/// The default of `--jobs` where the queue is a scheduler's.
const SUBMITTED_AT_A_TIME: u16 = 1000;

/// The maximum wait for the last lines of the log.
const LAST_LINES_WITHIN: Duration = Duration::from_millis(200);

pub(super) fn serve(args: Serve) -> Result<()> {
    let log = log_to_stderr()?;
    memory::take_small_pages();
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::system("cannot start the async runtime", e))?
        .block_on(run(args, log.clone()));
    log.flush(LAST_LINES_WITHIN);
    served
}

async fn run(args: Serve, log: BackgroundWriter) -> Result<()> {
    check_token(&args)?;
    base_path::set(args.base_path.clone());
    let data = DataDir::open(args.data.data_dir.clone())?;
    let lock = data.take_for_server()?;
    let index = Index::open(&data.index())?;
    let listener = TcpListener::bind((args.host, args.port))
        .await
        .map_err(|e| Error::file(format!("{}:{}", args.host, args.port), e))?;
    let address = listener
        .local_addr()
        .map_err(|e| Error::system("cannot tell the address", e))?;

    let shutdown = CancellationToken::new();
    let jobs = usize::from(args.jobs.unwrap_or(match args.launcher {
        LauncherKind::Local => 1,
        LauncherKind::Slurm => SUBMITTED_AT_A_TIME,
    }));
    let local = LocalLauncher::new(jobs)?;
    let estimator = Estimator::new(local.clone());
    let lr_finder = LrFinder::new(local.clone(), data.data_sets(), shutdown.clone());
    let evaluations = EvaluationCache::new(data.evaluations(), data.runs(), data.trash());
    let evaluations = Evaluations::new(local.clone(), evaluations);
    let launcher: Box<dyn Launcher> = match args.launcher {
        LauncherKind::Local => Box::new(local),
        LauncherKind::Slurm => Box::new(SlurmLauncher::start(data.slurm(), args.slurm.clone())?),
    };
    let supervisor =
        Supervisor::start(&data, index.clone(), launcher, jobs, shutdown.clone()).await;
    let images = Images::open(data.images(), data.pins())?;
    images.pins.keep(&[&data.runs(), &data.trash()]);
    let inspector = InspectThread::start(data.library(), u64::from(args.inspect_memory_mib) << 20)?;
    let importer = Importer::new(&data);
    importer.sweep();
    let changes = Changes::default();
    let app = App {
        index,
        importer: Arc::new(importer),
        data_sets: Arc::new(DataSets::new(&data, args.mirror.clone(), shutdown.clone())),
        images: Arc::new(images),
        networks: Arc::new(OwnNetworks::in_folder(data.networks())),
        reports: Arc::new(Reports::in_folder(data.reports())),
        selections: Arc::new(Selections::in_folder(data.selections())),
        data_dir: data.path().into(),
        upload_limit: args.max_upload_mib.saturating_mul(1 << 20),
        supervisor: supervisor.clone(),
        estimator,
        lr_finder,
        evaluations,
        inspector,
        changes: changes.clone(),
        shutdown: shutdown.clone(),
        started: Instant::now(),
    };
    let guard = Guard::new(
        address,
        &args.allow_host,
        args.token.as_deref(),
        args.trust_proxy,
    );

    let signals = Arc::new(Mutex::new(Signals::listen()?));
    let stop = shutdown.clone();
    tokio::spawn(panics::restart_on_panic("signals", move || {
        obey(Arc::clone(&signals), stop.clone(), log.clone())
    }));
    let replaced = tokio::spawn(end_when_replaced(lock.fence(), shutdown.clone()));
    announce(address, &args, &data);
    http::listen::serve(listener, http::router(app, guard), shutdown).await;
    if tokio::time::timeout(CHANGES_END_WITHIN, changes.finish())
        .await
        .is_err()
    {
        tracing::warn!("what is still being changed is completed or undone at the next start");
    }
    if tokio::time::timeout(WORKERS_STOP_WITHIN, supervisor.join())
        .await
        .is_err()
    {
        tracing::warn!("some workers are still in their last step; they end by themselves");
    }
    match replaced.is_finished() {
        true => Err(replaced
            .await
            .unwrap_or_else(|e| Error::system("a task died", e.into()))),
        false => Ok(()),
    }
}

/// Stops the server when another one has taken its data folder, because this one was cut off from it for too long.
async fn end_when_replaced(fence: Fence, shutdown: CancellationToken) -> Error {
    loop {
        tokio::time::sleep(FENCE_INTERVAL).await;
        let fence = fence.clone();
        if let Err(error) = blocking(move || fence.check()).await {
            shutdown.cancel();
            return error;
        }
    }
}

/// Prints the address. The server also works if nobody can read it.
fn announce(address: SocketAddr, args: &Serve, data: &DataDir) {
    tracing::info!(data = %data.path().display(), "ready");
    let _ = print(&format!("Vivarium is listening on http://{address}"));
    if let Some(token) = &args.token {
        let page = base_path::url("/");
        let _ = print(&format!("Open http://{address}{page}?token={token}"));
    }
}

/// A server that others can reach needs a token.
fn check_token(args: &Serve) -> Result<()> {
    match &args.token {
        None if !args.host.is_loopback() => Err(Error::Usage(format!(
            "{} can be reached by others: add a token, for example --token {}",
            args.host,
            Uuid::new_v4().simple()
        ))),
        Some(token)
            if token.len() < TOKEN_AT_LEAST
                || !token
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) =>
        {
            Err(Error::Usage(format!(
                "the token must have at least {TOKEN_AT_LEAST} letters, digits, - and _ (128 bits); for example --token {}",
                Uuid::new_v4().simple()
            )))
        }
        _ => Ok(()),
    }
}

/// The signals that stop a server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The terminal was closed. `None` if the signal is ignored, as under `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|e| Error::system("cannot listen to signals", e));
        let hangup = !worker::hangup_is_ignored();
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: hangup.then(|| listen(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// The first signal starts the shutdown; the second one ends the process.
async fn obey(signals: Arc<Mutex<Signals>>, shutdown: CancellationToken, log: BackgroundWriter) {
    let mut signals = signals.lock().await;
    loop {
        signals.next().await;
        if shutdown.is_cancelled() {
            log.flush(LAST_LINES_WITHIN);
            std::process::exit(1);
        }
        shutdown.cancel();
        tracing::info!("stopping: runs write a checkpoint and go on at the next start");
    }
}

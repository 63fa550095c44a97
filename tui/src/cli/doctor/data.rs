//! Can this process keep its data where the settings say?

use std::io;
use std::path::Path;

use skstore::text::Text;
use skstore_domain::signals::Service;
use skstore_workers::desk::config::{BusUrl, Config, StoreUrl};
use skstore_workers::desk::owner_besides;
use skstore_workers::desk::process::holder_of;
use skstore_workers::desk::store::{Store, StoreError};

use super::finding::{Checked, Finding, Said};
use super::names;

/// The directory that everything of this machine lies in.
pub(super) fn directory(config: &Config) -> Finding {
    let dir = &config.data_dir;
    let shown = dir.display();
    let unusable = |error: io::Error| {
        let found = Said::text(Text::DoctorUnwritable, &[&shown, &error]);
        Finding::wrong(Checked::Data, found, Text::DoctorOtherDirectory)
    };
    if let Err(error) = try_to_write(dir) {
        return unusable(error);
    }
    match holder_of(dir) {
        Ok(Some(holder)) => {
            Finding::ok(Checked::Data, Said::text(Text::DoctorHeld, &[&shown, &holder.to_string()]))
        }
        Ok(None) if dir.is_dir() => Finding::ok(Checked::Data, shown.to_string()),
        Ok(None) => Finding::ok(Checked::Data, Said::text(Text::DoctorNotYet, &[&shown])),
        Err(error) => unusable(error),
    }
}

/// The log, wherever it goes.
pub(super) fn log(config: &Config) -> Finding {
    let file = &config.log.file;
    let written = match std::fs::OpenOptions::new().append(true).open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.parent().map_or(Ok(()), try_to_write),
        opened => opened.map(drop),
    };
    match written {
        Ok(()) => Finding::ok(Checked::Log, file.display().to_string()),
        Err(error) => {
            let found = Said::text(Text::DoctorUnwritable, &[&file.display(), &error]);
            Finding::wrong(Checked::Log, found, Text::DoctorOtherLog)
        }
    }
}

/// The stores that are there: whether they can be opened, and are of this version, and what names are in them that
/// are no longer accepted. Over a broker the workers may have theirs elsewhere.
pub(super) async fn stores(config: &Config) -> Vec<Finding> {
    let urls = Service::ALL.iter().filter_map(|service| Some((*service, config.store_url(*service)?)));
    let (mut there, mut wrong, mut noted) = (0, Vec::new(), Vec::new());
    let mut missing = Vec::new();
    for (service, url) in urls {
        let opened = match url {
            StoreUrl::Sqlite(path) if !path.exists() => {
                missing.push((service, path));
                continue;
            }
            StoreUrl::Sqlite(_) => Store::open_at(url).await,
            // To open it would make it, where there is none.
            StoreUrl::Postgres(_) => Store::open_to_read(url).await,
        };
        there += 1;
        let looked = match opened {
            Ok(store) => match owner_besides(service, &store).await {
                Ok(Some((other, _))) => {
                    let found = Said::text(Text::DoctorStoreOfAnother, &[&service, url, &other]);
                    wrong.push(Finding::wrong(Checked::Stores, found, Text::DoctorStoreNameItsOwn));
                    continue;
                }
                Ok(None) => names::check(service, &store).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match looked {
            Ok(finding) => noted.extend(finding),
            Err(error) => wrong.push(unusable(&error, url)),
        }
    }
    if !wrong.is_empty() {
        return wrong;
    }
    // Workers make what is missing anew, and empty: beside others that are not, it was here before, or is meant to be elsewhere.
    if there > 0 && config.bus.url == BusUrl::Embedded {
        let is_in_use = matches!(holder_of(&config.data_dir), Ok(Some(_)));
        noted.extend(missing.iter().map(|(service, path)| {
            let found = Said::text(Text::DoctorStoreMissing, &[service, &path.display()]);
            if is_in_use {
                Finding::wrong(Checked::Stores, found, Text::DoctorStorePutBack)
            } else {
                Finding::noted(Checked::Stores, found, Text::DoctorStorePutBack)
            }
        }));
    }
    let found = match (there, &config.bus.url) {
        (0, BusUrl::Embedded) => Text::DoctorNoStores.into(),
        (0, BusUrl::Amqp(_)) => Text::DoctorStoresElsewhere.into(),
        _ => Said::text(Text::DoctorStoresOpen, &[&there]),
    };
    noted.insert(0, Finding::ok(Checked::Stores, found));
    noted
}

fn unusable(error: &StoreError, url: &StoreUrl) -> Finding {
    let remedy = match (error, url) {
        (StoreError::Schema { .. }, _) => Text::DoctorStoreVersion.into(),
        (_, StoreUrl::Sqlite(path)) => Said::text(Text::DoctorStoreBroken, &[&path.display()]),
        (_, StoreUrl::Postgres(_)) => Text::DoctorStoreServer.into(),
    };
    Finding::wrong(Checked::Stores, error.to_string(), remedy)
}

/// Makes a file in `dir`, or where `dir` itself would have to be made, and removes it again.
fn try_to_write(dir: &Path) -> io::Result<()> {
    let there = dir.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty());
    let there = there.unwrap_or_else(|| Path::new("."));
    let probe = there.join(format!(".skstore-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
    std::fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_leaves_nothing_and_finds_a_file_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        try_to_write(&dir.path().join("a").join("b")).expect("a directory that can be made");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something was left");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(try_to_write(&file.join("data")).is_err(), "a file is no directory");
    }
}

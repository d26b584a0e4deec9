//! What a look at many domains costs: a Region with many zones and names, and the calls counted and timed.

use std::collections::BTreeMap;

use privatelink_region::clock::Clock;
use privatelink_region::world::DnsState;
use privatelink_region::{Region, Settings};
use time::OffsetDateTime;

use crate::domains::Domains;
use crate::stage::{PROVIDER, START, Stage};

/// The requests that Route 53 takes from an account at once, and in a second from then on.
const ROUTE_53: (f64, f64) = (50.0, 10.0);
/// The most listings of zones, and as many of records, that one look may cost for each zone.
const LISTINGS: usize = 4;

/// A call of an operation.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it came.
    pub at: OffsetDateTime,
    /// The operation.
    pub action: String,
    /// The error's code, if it failed.
    pub error: Option<String>,
}

/// How many there are of everything.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Services with a private DNS name, spread over the zones.
    pub services: usize,
    /// Of those, the services whose record is not there yet.
    pub new: usize,
    /// Zones that hold their names.
    pub zones: usize,
    /// Zones between two of those in a listing.
    pub between: usize,
}

/// A Region whose clock runs and which throttles as AWS does. All records but those of the new services are in place,
/// and their names verified.
pub async fn many(size: Size) -> (Domains, Vec<String>) {
    let settings = Settings::default();
    assert!(settings.throttling, "nothing would be shown");
    let region = Region::new(settings.clone(), Clock::running(START, 1.0));
    let domains = Domains::on(Stage::with(settings).in_region(region)).await;
    let mut zones = Vec::new();
    for zone in 0..size.zones {
        zones.push(domains.zone_of(PROVIDER, &format!("z{zone:03}.example.com"), None));
        for n in 0..size.between {
            domains.zone_of(PROVIDER, &format!("z{zone:03}x{n:03}.example.com"), None);
        }
    }
    let mut services = Vec::new();
    for n in 0..size.services {
        let zone = n % size.zones;
        let service = domains.service(&format!("n{n:04}.z{zone:03}.example.com"));
        if n >= size.new {
            domains.put_proof(&zones[zone], &service);
            domains.become_state(&service, DnsState::Verified);
        }
        services.push(service);
    }
    (domains, services)
}

/// What a look cost.
#[derive(Debug)]
pub struct Cost(Vec<Call>);

impl Cost {
    /// Of the calls since somebody last asked for them.
    pub fn of(domains: &mut Domains) -> Self {
        Self(domains.stage.timed_calls())
    }

    /// How often each operation was called.
    pub fn calls(&self) -> BTreeMap<&str, usize> {
        let mut calls = BTreeMap::new();
        for call in &self.0 {
            *calls.entry(call.action.as_str()).or_default() += 1;
        }
        calls
    }

    /// How often one operation was called.
    pub fn count(&self, action: &str) -> usize {
        self.0.iter().filter(|call| call.action == action).count()
    }

    /// What is wrong with the way in which Route 53 was asked: a call that was throttled, more calls in some time than
    /// it takes, or more listings than that many looks at that many zones may cost.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn of_route_53(&self, zones: usize, looks: usize) -> Result<(), String> {
        let calls: Vec<&Call> = self.0.iter().filter(|call| is_of_route_53(&call.action)).collect();
        if let Some(call) = calls.iter().find(|call| call.error.is_some()) {
            return Err(format!("{call:?}"));
        }
        let (burst, rate) = ROUTE_53;
        for (n, first) in calls.iter().enumerate() {
            for (m, last) in calls.iter().enumerate().skip(n) {
                let (asked, time) = ((m - n + 1) as f64, (last.at - first.at).as_seconds_f64());
                if asked > burst + rate * time {
                    return Err(format!("{asked} requests in {time} s"));
                }
            }
        }
        for action in ["ListHostedZonesByName", "ListResourceRecordSets"] {
            let (count, most) = (self.count(action), LISTINGS * zones * looks);
            if count > most {
                return Err(format!("{count} {action}, and {most} is enough"));
            }
        }
        Ok(())
    }

    /// How many calls of Route 53 there were in the busiest second.
    pub fn busiest_second(&self) -> usize {
        let calls: Vec<&Call> = self.0.iter().filter(|call| is_of_route_53(&call.action)).collect();
        let within = |first: &Call| {
            let since = |call: &&&Call| (call.at - first.at).as_seconds_f64();
            calls.iter().filter(|call| (0.0..1.0).contains(&since(call))).count()
        };
        calls.iter().map(|call| within(call)).max().unwrap_or_default()
    }
}

fn is_of_route_53(action: &str) -> bool {
    ["HostedZone", "ResourceRecordSets", "GetChange"].iter().any(|part| action.contains(part))
}
